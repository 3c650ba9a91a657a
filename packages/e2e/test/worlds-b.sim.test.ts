import { worldsHold } from "./worlds.ts";

worldsHold(61, 120);
