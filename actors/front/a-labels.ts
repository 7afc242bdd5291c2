/**
 * Domains as the directory knows them: in ASCII, U-labels turned into A-labels (RFC 5890 §2.3.2.1, RFC 6531 §3.2). Pure.
 */
import { domainToASCII, domainToUnicode } from 'node:url';
import { isAscii, isDomain } from '../../protocols/lmtp/path.ts';

/**
 * @returns the domain with each U-label as its A-label; undefined where a label is none. What a look-up would first have
 * to map, full-width letters say, is no U-label: two spellings of an address are not made one here. Capitals are, as in ASCII.
 */
export function aLabels(domain: string): string | undefined {
  if (isAscii(domain)) return domain;
  const ascii = domainToASCII(domain);
  return isDomain(ascii) && domainToUnicode(ascii) === domain.toLowerCase() ? ascii : undefined;
}
