import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ClientFrameSchema, ServerFrame } from "@parley/protocol";

type RequestOneof = NonNullable<MessageInitShape<typeof ClientFrameSchema>["request"]>;
type AnswerOneof = ServerFrame["response"];

/** Requests that are answered, by the name of their case in ClientFrame. */
export type RequestCase = Exclude<NonNullable<RequestOneof["case"]>, "ack" | "sendLive" | "drain">;
export type RequestOf<C extends RequestCase> = Extract<RequestOneof, { case: C }>["value"];

/** The case of the answer has the request's name, but for these. */
type AnswerCaseOf<C extends RequestCase> = C extends "hello" ? "welcome" : C;
export type AnswerOf<C extends RequestCase> = Extract<
  AnswerOneof,
  { case: AnswerCaseOf<C> }
>["value"];
