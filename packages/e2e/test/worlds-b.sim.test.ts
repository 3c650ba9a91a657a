import { worldsHold } from "./worlds.ts";

worldsHold(151, 300);
