/**
 * What is signed begins with its label and a zero byte (trust.md). These are the labels of what the server
 * checks; the clients have the whole list.
 */
export const LABELS = {
  accountEntry: "Parley account entry v1",
  accountId: "Parley account id v1",
  accountState: "Parley account state v1",
  deviceConsent: "Parley device consent v1",
  invitation: "Parley invitation v1",
  login: "Parley login v1",
  recoveryLogin: "Parley recovery login v1",
} as const;

export type Label = (typeof LABELS)[keyof typeof LABELS];

export function labelled(label: Label, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${label}\0`, "ascii"), body]);
}
