/** Loads are faster than people: no budget may decide what is measured. */
const SENDS_PER_MINUTE = 1_000_000_000;
const CONNECTIONS_PER_MINUTE = 1_000_000;
const SIGN_UPS_PER_HOUR = 1_000_000;
/** Below what a process may have files open on many machines, 20,000. */
const CONNECTIONS_MAX = 19_000;
/** A backlog is larger than what one person leaves for another. */
const BACKLOG_ENVELOPES_MAX = 1_000_000;

/** The server's configuration file: everything that is not said here stands as it is shipped. */
export const RAISED_LIMITS = `
[server]
connections_max = ${CONNECTIONS_MAX}
connections_per_address_max = ${CONNECTIONS_MAX}

[limits]
connections_per_address_per_minute = ${CONNECTIONS_PER_MINUTE}
durable_sends_per_minute = ${SENDS_PER_MINUTE}
sign_ups_per_address_per_hour = ${SIGN_UPS_PER_HOUR}

[mailbox]
envelopes_max = ${BACKLOG_ENVELOPES_MAX}
envelopes_per_source_max = ${BACKLOG_ENVELOPES_MAX}
`;
