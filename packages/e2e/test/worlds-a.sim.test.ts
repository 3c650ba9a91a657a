import { worldsHold } from "./worlds.ts";

// In two files, so that they run side by side.
worldsHold(1, 150);
