import type { RateLimit } from "../ports/rate-limiter.ts";
import { integer, truth } from "./kind.ts";
import { type Setting, type SettingDetails, setting } from "./setting.ts";

/** Above it nothing is limited any more: a benchmark. */
const COUNT_MAX = 1_000_000_000;

interface Line {
  readonly key: string;
  readonly doc: string;
  readonly short?: Pick<SettingDetails, "flag" | "value" | "shortEnv">;
}

const LINES: Readonly<Record<RateLimit, Line>> = {
  durableSendsPerMinute: {
    key: "durable_sends_per_minute",
    doc: "Messages, receipts and whatever else is stored until it is delivered, of one account. Clients keep what people write to a quarter of it.",
    short: { flag: "sends", value: "N", shortEnv: "PARLEY_SENDS" },
  },
  liveFramesPerMinute: {
    key: "live_frames_per_minute",
    doc: "Live frames (typing, recording) from one account to another.",
  },
  handleLookUpsPerMinute: {
    key: "handle_look_ups_per_minute",
    doc: "Handles that one account asks for: too few to try all names.",
  },
  bundleFetchesPerMinute: {
    key: "bundle_fetches_per_minute",
    doc: "Accounts whose prekeys one account asks for.",
  },
  bundlesOfAccountPerHour: {
    key: "bundles_of_account_per_hour",
    doc: "One-time prekeys of one account that are given away, whoever asks. Above it the last-resort prekey is given: nobody is refused.",
  },
  chainFetchesPerMinute: {
    key: "chain_fetches_per_minute",
    doc: "Lists of devices that one account asks for.",
  },
  profileFetchesPerMinute: {
    key: "profile_fetches_per_minute",
    doc: "Profiles that one account asks for.",
  },
  accountEntriesPerHour: {
    key: "account_entries_per_hour",
    doc: "Changes of an account's devices by one device.",
  },
  profileChangesPerHour: {
    key: "profile_changes_per_hour",
    doc: "Changes of one account's profile.",
  },
  prekeyUploadsPerHour: {
    key: "prekey_uploads_per_hour",
    doc: "Uploads of prekeys by one device, 100 at a time.",
  },
  drainsPerMinute: {
    key: "drains_per_minute",
    doc: "How often one device asks for the end of what waits for it.",
  },
  skipClearsPerHour: {
    key: "skip_clears_per_hour",
    doc: "How often one device says that it has caught up after its mailbox was full.",
  },
  signUpsPerAddressPerHour: {
    key: "sign_ups_per_address_per_hour",
    doc: "New accounts from one address (of IPv6, from one /64 network). Who returns after a restore does not count.",
  },
  loginsPerMinute: {
    key: "logins_per_minute",
    doc: "Logins of one account.",
  },
  failedLoginsPerAddressPerMinute: {
    key: "failed_logins_per_address_per_minute",
    doc: "Logins from one address whose signature does not hold.",
  },
  linkStepsPerAddressPerMinute: {
    key: "link_steps_per_address_per_minute",
    doc: "Steps of linking a device, from one address.",
  },
  connectionsPerAddressPerMinute: {
    key: "connections_per_address_per_minute",
    doc: "New connections from one address, of whatever kind.",
  },
  presenceRequestsPerMinute: {
    key: "presence_requests_per_minute",
    doc: "How often one account says who may see it and whether somebody is there, or whom it watches.",
  },
};

/** Budgets of what is asked for, one line each. */
export function limitSettings(): Setting[] {
  return [
    setting("limits", "dry_run", truth(), {
      at: "settings.limits.dryRun",
      doc: "Counts and logs what is over a limit, and refuses nothing but what protects the server's memory: for a look at what new numbers would do.",
    }),
    ...(Object.entries(LINES) as [RateLimit, Line][]).map(([limit, { key, doc, short }]) =>
      setting("limits", key, integer(0, COUNT_MAX), {
        at: `settings.limits.${limit}`,
        doc,
        ...short,
      }),
    ),
  ];
}
