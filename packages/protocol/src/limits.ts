/** Limits of the wire that both sides know without asking. Limits of single fields stand in the schema. */

/**
 * A frame up to the server: a message of 64 KiB of text, padded (at most 12 %), for eight devices of the
 * recipient and seven of the sender, and room for headers.
 */
export const CLIENT_FRAME_BYTES_MAX = 1_310_720;
/** Before login a frame is a sign-up, a hello or a step of linking: the longest carries 64 chain entries. */
export const LOGIN_FRAME_BYTES_MAX = 655_360;
/** A frame down to the client. A delivery is cut so that it stays below. */
export const SERVER_FRAME_BYTES_MAX = 1_310_720;
/**
 * Fields of a frame, those of the messages in it included. Each costs a microsecond to decode, however short it
 * is, so a frame of the longest size could hold work for most of a second. The fullest request, 100 prekeys, has
 * about 500; a full delivery 37,000.
 */
export const CLIENT_FRAME_FIELDS_MAX = 1_024;
export const SERVER_FRAME_FIELDS_MAX = 49_152;
/** Account ids, envelope ids, message ids, epochs. */
export const ID_BYTES = 16;
export const DEVICE_ID_MAX = 127;
export const DEVICES_PER_ACCOUNT_MAX = 8;
/** The server keeps an envelope, and a client the exact bytes of an entry, for this long (delivery.md 3). */
export const ENVELOPE_LIFETIME_MS = 90 * 24 * 60 * 60 * 1000;
/** Text of a message, in UTF-8 (trust.md 9). */
export const TEXT_BYTES_MAX = 65_536;
