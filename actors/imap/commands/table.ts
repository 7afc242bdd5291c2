/** Each command's handler, by its keyword. */
import type { CommandOf } from '../../../protocols/imap/command.ts';
import type { Working, WorkingType } from '../command-states.ts';
import type { ImapSession } from '../imap-session.ts';
import type { Handler, Outcome } from '../outcome.ts';
import { deleteAcl, getAcl, listRights, myRights, setAcl } from './acl.ts';
import { check, noop } from './check.ts';
import { close, unselect } from './close.ts';
import { copy, move } from './copy.ts';
import { createMailbox, deleteMailbox, renameMailbox } from './create.ts';
import { enable } from './enable.ts';
import { expunge } from './expunge.ts';
import { fetch } from './fetch.ts';
import { list } from './list.ts';
import { lsub } from './lsub.ts';
import { getMetadata, setMetadata } from './metadata.ts';
import { namespace } from './namespace.ts';
import { getQuota, getQuotaRoot, setQuota } from './quota.ts';
import { search } from './search.ts';
import { examine, select } from './select.ts';
import { sort } from './sort.ts';
import { status } from './status.ts';
import { store } from './store.ts';
import { subscribe, unsubscribe } from './subscribe.ts';
import { thread } from './thread.ts';

const TABLE: { readonly [Type in WorkingType]: Handler<CommandOf<Type>> } = {
  NOOP: noop,
  CHECK: check,
  ENABLE: enable,
  NAMESPACE: namespace,
  LIST: list,
  LSUB: lsub,
  STATUS: status,
  CREATE: createMailbox,
  DELETE: deleteMailbox,
  RENAME: renameMailbox,
  SUBSCRIBE: subscribe,
  UNSUBSCRIBE: unsubscribe,
  SETACL: setAcl,
  DELETEACL: deleteAcl,
  GETACL: getAcl,
  LISTRIGHTS: listRights,
  MYRIGHTS: myRights,
  GETQUOTA: getQuota,
  GETQUOTAROOT: getQuotaRoot,
  SETQUOTA: setQuota,
  GETMETADATA: getMetadata,
  SETMETADATA: setMetadata,
  SELECT: select,
  EXAMINE: examine,
  CLOSE: close,
  UNSELECT: unselect,
  EXPUNGE: expunge,
  FETCH: fetch,
  STORE: store,
  COPY: copy,
  MOVE: move,
  SEARCH: search,
  SORT: sort,
  THREAD: thread,
};

/** The cast holds what the table's type says: each keyword's handler takes that keyword's command. */
export const handle = (command: Working, session: ImapSession, signal: AbortSignal): Promise<Outcome> =>
  (TABLE[command.type] as Handler<Working>)(command, session, signal);
