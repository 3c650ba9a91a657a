import { startNodeCrypto } from "../../packages/crypto/src/platform/start-node.ts";
import { answerQuestions, cpuClock } from "./questions.ts";
import { ourSide } from "./side.ts";

/** Our side in a Node of its own. */
answerQuestions(ourSide(startNodeCrypto().run, cpuClock));
