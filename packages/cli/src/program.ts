import { Command } from "commander";
import { addChat } from "./commands/chat.ts";
import { addCompletion } from "./commands/completion.ts";
import { addConfig } from "./commands/config.ts";
import { addContacts } from "./commands/contacts.ts";
import { addDevices } from "./commands/devices.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addHistory } from "./commands/history.ts";
import { addInvitations } from "./commands/invitations.ts";
import { addLink } from "./commands/link.ts";
import { addListen } from "./commands/listen.ts";
import { addPresence } from "./commands/presence.ts";
import { addRecover } from "./commands/recover.ts";
import { addSend } from "./commands/send.ts";
import { addServe } from "./commands/serve.ts";
import { addSignup } from "./commands/signup.ts";
import { addVerify } from "./commands/verify.ts";
import { addWatch } from "./commands/watch.ts";

const AFTER_HELP = `
First steps:
  parley serve                                             # a server of your own, on this machine
  parley signup --server http://127.0.0.1:7420 --handle alice
  parley chat bob

The device's data is encrypted. Its key is made from --key-file FILE, or from the passphrase in
PARLEY_PASSPHRASE, or is asked for on a terminal. PARLEY_HOME and PARLEY_KEY_FILE stand in for
--home and --key-file; NO_COLOR is obeyed.

Exit status: 0 done, 64 wrong usage, 65 refused input, 69 server not reachable,
75 try again later (also: another process uses this home), 77 not allowed.`;

export function program(): Command {
  const parley = new Command("parley")
    .description(
      "A private messenger: messages are encrypted on this device, for the other one alone.",
    )
    .addHelpText("after", AFTER_HELP)
    .showHelpAfterError("(parley --help tells more)")
    .enablePositionalOptions()
    .exitOverride();
  addServe(parley);
  addInvitations(parley);
  addSignup(parley);
  addChat(parley);
  addSend(parley);
  addListen(parley);
  addHistory(parley);
  addContacts(parley);
  addVerify(parley);
  addLink(parley);
  addDevices(parley);
  addRecover(parley);
  addPresence(parley);
  addWatch(parley);
  addConfig(parley);
  addDoctor(parley);
  addCompletion(parley);
  return parley;
}
