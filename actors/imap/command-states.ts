/** Which command is for which state: RFC 9051 §6.1 to §6.4 and RFC 3501 §6, with the extensions. Pure. */
import type { Command, CommandOf, TaggedCommand } from '../../protocols/imap/command.ts';

/** For the authenticated state, and so for the selected one. `NOOP` is for any; there it asks for news. */
const FOR_AUTHENTICATED = [
  'NOOP',
  'ENABLE', // by the machine, before a mailbox is selected only: RFC 9051 §6.3.1
  'SELECT',
  'EXAMINE',
  'CREATE',
  'DELETE',
  'RENAME',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'LIST',
  'LSUB',
  'NAMESPACE',
  'STATUS',
  'SETACL',
  'DELETEACL',
  'GETACL',
  'LISTRIGHTS',
  'MYRIGHTS',
  'GETQUOTA',
  'GETQUOTAROOT',
  'SETQUOTA',
  'GETMETADATA',
  'SETMETADATA',
] as const;

const FOR_SELECTED = [
  'CHECK',
  'CLOSE',
  'UNSELECT',
  'EXPUNGE',
  'FETCH',
  'STORE',
  'COPY',
  'MOVE',
  'SEARCH',
  'SORT',
  'THREAD',
] as const;

type ForAuthenticated = (typeof FOR_AUTHENTICATED)[number];
type ForSelected = (typeof FOR_SELECTED)[number];
/** Those that have a handler (commands/). */
export type WorkingType = ForAuthenticated | ForSelected;
export type Working = CommandOf<WorkingType>;

const AUTHENTICATED: ReadonlySet<string> = new Set(FOR_AUTHENTICATED);
const SELECTED: ReadonlySet<string> = new Set(FOR_SELECTED);
/** They have states of their own. */
const LONG: ReadonlySet<string> = new Set<Command['type']>(['IDLE', 'APPEND', 'COMPRESS']);

type Typed = { readonly type: string };
export const isForAuthenticated = (event: Typed): event is Working => AUTHENTICATED.has(event.type);
export const needsSelected = (event: Typed): event is Working => SELECTED.has(event.type);
export const isForSelected = (event: Typed): event is Working =>
  (isForAuthenticated(event) && event.type !== 'ENABLE') || needsSelected(event);
export const needsLogIn = (event: Typed): boolean =>
  isForAuthenticated(event) || needsSelected(event) || LONG.has(event.type);

/** Upper case is what the client said, and all of that but DONE has a tag. */
export const isTagged = (event: Typed): event is TaggedCommand => 'tag' in event && event.type !== 'malformed';
