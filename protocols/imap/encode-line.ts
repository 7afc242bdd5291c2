/** Responses that are a line, literals aside, by their type: each in the file of its kind. As latin1 text, one character each octet. */
import {
  acl,
  list,
  listRights,
  mailboxStatus,
  metadata,
  metadataChanged,
  myRights,
  namespace,
  quota,
  quotaRoot,
} from './encode-mailbox.ts';
import { numberSet } from './encode-numbers.ts';
import { extendedSearch, found, threaded } from './encode-search.ts';
import { challenge, goOn, status } from './encode-status.ts';
import { atoms, digits, flagList, positive, string } from './encode-string.ts';
import type { Response } from './response.ts';

/** All but those of which there may be more than should be held at once. */
export type Line = Exclude<Response, { readonly type: 'FETCH' | 'fetches' | 'batch' }>;

/** @param utf8  may 8-bit be quoted, and mailbox names be told as they are? */
export function line(response: Line, utf8: boolean): string {
  switch (response.type) {
    case 'status':
      return status(response, utf8);
    case 'continue':
      return goOn(response.text, utf8);
    case 'challenge':
      return challenge(response.octets);
    case 'CAPABILITY':
      return `* CAPABILITY ${atoms(response.capabilities)}\r\n`;
    case 'ENABLED': // nothing enabled: RFC 5161 §3.2 has it without any
      return `* ENABLED${response.capabilities.length === 0 ? '' : ` ${atoms(response.capabilities)}`}\r\n`;
    case 'FLAGS':
      return `* FLAGS ${flagList(response.flags)}\r\n`;
    case 'EXISTS':
    case 'RECENT':
      return `* ${digits(response.count)} ${response.type}\r\n`;
    case 'EXPUNGE':
      return `* ${positive(response.sequence)} EXPUNGE\r\n`;
    case 'VANISHED':
      return `* VANISHED ${response.earlier ? '(EARLIER) ' : ''}${numberSet(response.uids)}\r\n`;
    case 'SEARCH':
    case 'SORT':
      return found(response.type, response.numbers, response.modSeq);
    case 'ESEARCH':
      return extendedSearch(response);
    case 'THREAD':
      return threaded(response.threads);
    case 'ID':
      return `* ID ${idParams(response.fields, utf8)}\r\n`;
    default:
      return mailboxLine(response, utf8);
  }
}

type MailboxLine = Extract<
  Line,
  { readonly mailbox: string } | { readonly type: 'LIST' | 'LSUB' | 'NAMESPACE' | 'QUOTA' }
>;

function mailboxLine(response: MailboxLine, utf8: boolean): string {
  switch (response.type) {
    case 'LIST':
    case 'LSUB':
      return list(response, utf8);
    case 'STATUS':
      return mailboxStatus(response.mailbox, response.items, utf8);
    case 'NAMESPACE': {
      const { personal, otherUsers, shared } = response;
      return `* NAMESPACE ${[personal, otherUsers, shared].map((one) => namespace(one, utf8)).join(' ')}\r\n`;
    }
    case 'ACL':
      return acl(response.mailbox, response.entries, utf8);
    case 'LISTRIGHTS':
      return listRights(response, utf8);
    case 'MYRIGHTS':
      return myRights(response.mailbox, response.rights, utf8);
    case 'QUOTA':
      return quota(response.root, response.resources, utf8);
    case 'QUOTAROOT':
      return quotaRoot(response.mailbox, response.roots, utf8);
    case 'METADATA':
      if ('changed' in response) return metadataChanged(response.mailbox, response.changed, utf8);
      return metadata(response.mailbox, response.entries, utf8);
  }
}

/** `id_params_list ::= "(" #(string SPACE nstring) ")" / nil` (RFC 2971 §4). */
function idParams(fields: readonly (readonly [string, string | null])[] | null, utf8: boolean): string {
  if (fields === null) return 'NIL';
  return `(${fields.map(([name, value]) => `${string(name, utf8)} ${value === null ? 'NIL' : string(value, utf8)}`).join(' ')})`;
}
