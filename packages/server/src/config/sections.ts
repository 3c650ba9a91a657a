/** The tables of the configuration file, in the order in which they are printed. */
export const SECTIONS = {
  server: "Where the server keeps its data, where it listens, and under which names it is reached.",
  sign_up: "Who may make an account.",
  limits: "What one connection, device, account or address may ask for.",
  mailbox: "What the server keeps for a device that is away.",
  store: "How what is kept goes to the disk.",
  presence: "Who is there, told to those who may see it. In memory only.",
  metrics: "A second port, for whoever runs the server: metrics, and probes that say why.",
  tracing: "Some messages, followed from send to delivery.",
  log: "Lines of JSON on standard error, without content, handles, addresses or tokens.",
} as const;

export type SectionName = keyof typeof SECTIONS;
