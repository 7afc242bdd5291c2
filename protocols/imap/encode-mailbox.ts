/** What is told of mailboxes: LIST, STATUS and NAMESPACE (RFC 9051 §7.3), rights (RFC 4314), quota (RFC 9208), METADATA (RFC 5464). */
import {
  astring,
  atom,
  delimiter,
  digits,
  flagList,
  mailbox,
  objectId,
  octets,
  positive,
  prefix,
} from './encode-string.ts';
import type { AclEntry, List, MetadataEntry, Namespace, QuotaResource, Response, StatusItems } from './response.ts';

/** `"LIST" SP "(" [mbx-list-flags] ")" SP delimiter SP mailbox [SP mbox-list-extended]` (RFC 9051 §9). */
export function list({ type, attributes, delimiter: between, mailbox: name, childInfo, oldName }: List, utf8: boolean) {
  const extended: string[] = [];
  if (childInfo !== undefined)
    extended.push(`"CHILDINFO" (${childInfo.map((option) => `"${atom(option)}"`).join(' ')})`);
  if (oldName !== undefined) extended.push(`"OLDNAME" (${mailbox(oldName, utf8)})`);
  const line = `* ${type} ${flagList(attributes)} ${delimiter(between)} ${mailbox(name, utf8)}`;
  return `${line}${extended.length === 0 ? '' : ` (${extended.join(' ')})`}\r\n`;
}

/** `"STATUS" SP mailbox SP "(" [status-att-list] ")"`. */
export function mailboxStatus(name: string, items: StatusItems, utf8: boolean): string {
  const { messages, recent, uidNext, uidValidity, unseen, deleted, deletedStorageKib, sizeOctets, highestModSeq } =
    items;
  const { appendLimitOctets, mailboxId } = items;
  const told: string[] = [];
  if (messages !== undefined) told.push(`MESSAGES ${digits(messages)}`);
  if (recent !== undefined) told.push(`RECENT ${digits(recent)}`);
  if (uidNext !== undefined) told.push(`UIDNEXT ${positive(uidNext)}`);
  if (uidValidity !== undefined) told.push(`UIDVALIDITY ${positive(uidValidity)}`);
  if (unseen !== undefined) told.push(`UNSEEN ${digits(unseen)}`);
  if (deleted !== undefined) told.push(`DELETED ${digits(deleted)}`);
  if (deletedStorageKib !== undefined) told.push(`DELETED-STORAGE ${digits(deletedStorageKib)}`);
  if (sizeOctets !== undefined) told.push(`SIZE ${digits(sizeOctets)}`);
  if (highestModSeq !== undefined) told.push(`HIGHESTMODSEQ ${digits(highestModSeq)}`); // 0: no modseqs (RFC 7162 §3.1.7)
  if (appendLimitOctets !== undefined)
    told.push(`APPENDLIMIT ${appendLimitOctets === null ? 'NIL' : digits(appendLimitOctets)}`);
  if (mailboxId !== undefined) told.push(`MAILBOXID ${objectId(mailboxId)}`);
  return `* STATUS ${mailbox(name, utf8)} (${told.join(' ')})\r\n`;
}

/** `namespace = nil / "(" 1*namespace-descr ")"`, no space between two (RFC 9051 §9). */
export function namespace(ofOneClass: readonly Namespace[] | null, utf8: boolean): string {
  if (ofOneClass === null || ofOneClass.length === 0) return 'NIL';
  return `(${ofOneClass.map((one) => `(${prefix(one.prefix, utf8)} ${delimiter(one.delimiter)})`).join('')})`;
}

/** `"ACL" SP mailbox *(SP identifier SP rights)` (RFC 4314 §7). */
export function acl(name: string, entries: readonly AclEntry[], utf8: boolean): string {
  const pairs = entries.map((entry) => ` ${astring(entry.identifier, utf8)} ${rights(entry.rights)}`);
  return `* ACL ${mailbox(name, utf8)}${pairs.join('')}\r\n`;
}

/** `"LISTRIGHTS" SP mailbox SP identifier SP rights *(SP rights)`. */
export function listRights(
  { mailbox: name, identifier, required, optional }: Extract<Response, { readonly type: 'LISTRIGHTS' }>,
  utf8: boolean,
): string {
  const sets = [required, ...optional].map(rights).join(' ');
  return `* LISTRIGHTS ${mailbox(name, utf8)} ${astring(identifier, utf8)} ${sets}\r\n`;
}

/** `"MYRIGHTS" SP mailbox SP rights`. */
export function myRights(name: string, mine: string, utf8: boolean): string {
  return `* MYRIGHTS ${mailbox(name, utf8)} ${rights(mine)}\r\n`;
}

/** `"QUOTA" SP quota-root-name SP quota-list` (RFC 9208 §7); an empty list where nothing is limited (RFC 2087 §5.1). */
export function quota(root: string, resources: readonly QuotaResource[], utf8: boolean): string {
  const limits = resources.map(({ name, usage, limit }) => `${atom(name)} ${digits(usage)} ${digits(limit)}`);
  return `* QUOTA ${astring(root, utf8)} (${limits.join(' ')})\r\n`;
}

/** `"QUOTAROOT" SP mailbox *(SP quota-root-name)`. */
export function quotaRoot(name: string, roots: readonly string[], utf8: boolean): string {
  return `* QUOTAROOT ${mailbox(name, utf8)}${roots.map((root) => ` ${astring(root, utf8)}`).join('')}\r\n`;
}

/** `"METADATA" SP mailbox SP "(" entry SP value *(SP entry SP value) ")"` (RFC 5464 §4.4.1). */
export function metadata(name: string, entries: readonly MetadataEntry[], utf8: boolean): string {
  if (entries.length === 0) throw new TypeError('METADATA without an entry can not be told');
  const values = entries.map((entry) => `${astring(entry.name, utf8)} ${octets(entry.value, utf8)}`);
  return `* METADATA ${mailbox(name, utf8)} (${values.join(' ')})\r\n`;
}

/** `"METADATA" SP mailbox SP entry *(SP entry)` (RFC 5464 §4.4.2). */
export function metadataChanged(name: string, entries: readonly string[], utf8: boolean): string {
  if (entries.length === 0) throw new TypeError('METADATA without an entry can not be told');
  return `* METADATA ${mailbox(name, utf8)} ${entries.map((entry) => astring(entry, utf8)).join(' ')}\r\n`;
}

/** `rights = astring` of lower-case letters and digits; none: the empty string. */
function rights(letters: string): string {
  if (!/^[a-z0-9]*$/.test(letters)) throw new TypeError(`no rights: ${JSON.stringify(letters)}`);
  return letters === '' ? '""' : letters;
}
