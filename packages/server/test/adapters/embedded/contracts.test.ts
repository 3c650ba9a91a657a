import { describe } from "vitest";
import { MemoryRateLimiter } from "../../../src/adapters/embedded/memory-rate-limiter.ts";
import { MemorySessionRegistry } from "../../../src/adapters/embedded/memory-session-registry.ts";
import { MemoryWakeupBus } from "../../../src/adapters/embedded/memory-wakeup-bus.ts";
import { SqliteAccountStore } from "../../../src/adapters/embedded/sqlite-account-store.ts";
import { SqliteEpochStore } from "../../../src/adapters/embedded/sqlite-epoch-store.ts";
import { SqliteInvitationStore } from "../../../src/adapters/embedded/sqlite-invitation-store.ts";
import { SqlitePrekeyStore } from "../../../src/adapters/embedded/sqlite-prekey-store.ts";
import { systemRandom } from "../../../src/adapters/embedded/system-random.ts";
import type { DeviceAddress } from "../../../src/ports/device-address.ts";
import { SETTINGS_DEFAULT } from "../../../src/settings.ts";
import { accountStoreContract } from "../../contracts/account-store.contract.ts";
import { epochStoreContract } from "../../contracts/epoch-store.contract.ts";
import { invitationStoreContract } from "../../contracts/invitation-store.contract.ts";
import { CONTRACT_LIMITS, mailboxStoreContract } from "../../contracts/mailbox-store.contract.ts";
import { prekeyStoreContract } from "../../contracts/prekey-store.contract.ts";
import { rateLimiterContract } from "../../contracts/rate-limiter.contract.ts";
import { sessionRegistryContract } from "../../contracts/session-registry.contract.ts";
import { wakeupBusContract } from "../../contracts/wakeup-bus.contract.ts";
import { movingEachAppend, testMail } from "../../fixtures/mail.ts";
import { testStore } from "../../fixtures/store.ts";

describe("LoggedMailboxStore", () => {
  const open = (isCold: boolean) => async () => {
    const opened = testMail({ limits: CONTRACT_LIMITS });
    const { commit, clock, mail } = opened;
    const { mailboxes } = mail;
    return {
      store: isCold ? movingEachAppend(opened) : mailboxes,
      begin: async ({ accountId, deviceId }: DeviceAddress) => {
        await commit.join(() => mailboxes.begin(accountId, deviceId));
      },
      end: async ({ accountId, deviceId }: DeviceAddress) => {
        await commit.join(() => mailboxes.end(accountId, deviceId));
      },
      removals: () => clock.pass(60_000),
      pass: (ms: number) => clock.pass(ms),
    };
  };
  describe("with rows in the log", () => mailboxStoreContract(open(false)));
  describe("with rows in the store", () => mailboxStoreContract(open(true)));
});

describe("SqlitePrekeyStore", () => {
  prekeyStoreContract(async () => {
    const { store, commit, clock } = testStore();
    return new SqlitePrekeyStore(store.db, commit, clock);
  });
});

describe("SqliteAccountStore", () => {
  accountStoreContract(async () => {
    const { store, commit } = testStore();
    return new SqliteAccountStore(store.db, commit, {
      deviceRows: [],
      invitations: { spend: () => false },
    });
  });
});

describe("SqliteInvitationStore", () => {
  invitationStoreContract(async () => {
    const { store, commit, clock } = testStore();
    const invitations = new SqliteInvitationStore(store.db, commit, clock);
    const accounts = new SqliteAccountStore(store.db, commit, { deviceRows: [], invitations });
    return { invitations, accounts, clock };
  });
});

describe("SqliteEpochStore", () => {
  epochStoreContract(() => {
    const { store } = testStore();
    let nowMs = Date.UTC(2026, 0, 1);
    return {
      start: async ({ laterByMs = 0, floor = 0n } = {}) => {
        nowMs += laterByMs;
        return new SqliteEpochStore(store.db, { recovered: floor, nowMs, random: systemRandom });
      },
    };
  });
});

describe("MemorySessionRegistry", () => {
  sessionRegistryContract(async () => new MemorySessionRegistry());
});

describe("MemoryWakeupBus", () => {
  wakeupBusContract(async () => new MemoryWakeupBus());
});

describe("MemoryRateLimiter", () => {
  rateLimiterContract(
    async (clock) =>
      new MemoryRateLimiter(clock, { ...SETTINGS_DEFAULT.limits, durableSendsPerMinute: 3 }),
  );
});
