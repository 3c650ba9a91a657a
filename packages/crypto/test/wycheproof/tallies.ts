import type { Tally, VectorName } from "./checks.ts";

/** What every platform must count to, so that nothing is passed over in silence. */
export const TALLIES: Readonly<Record<VectorName, Tally>> = {
  x25519: { agreed: 474, refused: 44 },
  ed25519: { agreed: 88, refused: 62 },
  aes_cbc_pkcs5: { agreed: 24, refused: 48 },
  aes_gcm: { agreed: 39, refused: 27 },
  hmac_sha256: { agreed: 66, refused: 108 },
  hkdf_sha256: { agreed: 83, refused: 3 },
  mlkem_768: { agreed: 161, refused: 40 },
  mlkem_1024: { agreed: 162, refused: 40 },
  mlkem_768_encaps: { agreed: 133, refused: 132 },
  mlkem_1024_encaps: { agreed: 133, refused: 136 },
};
