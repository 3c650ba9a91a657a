import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ClientFrameSchema, ServerFrame } from "@parley/protocol";

type RequestOneof = NonNullable<MessageInitShape<typeof ClientFrameSchema>["request"]>;
type AnswerOneof = ServerFrame["response"];

/** Requests that are answered, by the name of their case in ClientFrame. */
export type Asked = Exclude<NonNullable<RequestOneof["case"]>, "ack" | "sendLive">;
export type AskedOf<C extends Asked> = Extract<RequestOneof, { case: C }>["value"];
/** What is not answered. */
export type OneWay = Extract<RequestOneof, { case: "ack" | "sendLive" }>;
export type Answer = NonNullable<AnswerOneof["value"]>;

/** Those whose answer does not wait its turn in the stream of mail. */
export type RequestCase = Exclude<Asked, "drain" | "hello">;
export type RequestOf<C extends RequestCase> = AskedOf<C>;
/** The answer's case has the request's name. */
export type AnswerOf<C extends RequestCase> = Extract<AnswerOneof, { case: C }>["value"];

export function answerCase(name: Asked): AnswerOneof["case"] {
  if (name === "hello") return "welcome";
  return name === "drain" ? "drained" : name;
}
