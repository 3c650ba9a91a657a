/** Another process has this device's store open, or this one has it twice. Try again when it is closed. */
export class StoreInUseError extends Error {
  override readonly name = "StoreInUseError";
}

/** The passphrase or key file is not the one that the store was made with. Nothing was changed. */
export class WrongKeyError extends Error {
  override readonly name = "WrongKeyError";
}

/** The file is not a store, was made by a newer version, or bytes in it have changed. */
export class StoreDamagedError extends Error {
  override readonly name = "StoreDamagedError";
}
