/** CRC-32C, the Castagnoli polynomial: RFC 4960 Appendix B has it in words. For some hundred octets: no table is kept. */
const REVERSED_POLYNOMIAL = 0x82f63b78;

/** @returns 32 bits, unsigned */
export function crc32c(octets: Uint8Array): number {
  let sum = 0xffff_ffff;
  for (const octet of octets) {
    sum ^= octet;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? REVERSED_POLYNOMIAL : 0);
  }
  return ~sum >>> 0;
}
