/**
 * What sessions ask of an owner once they are open, by operation: what is asked and what is answered. Types only; sessions
 * of purpose `mailboxes` ask what mailbox-requests.ts, message-requests.ts and search-requests.ts hold.
 */
import type * as e from './edit-requests.ts';
import type * as b from './mailbox-requests.ts';
import type * as m from './message-requests.ts';
import type * as r from './requests.ts';
import type * as s from './search-requests.ts';

type Pair<Request, Answer> = { readonly request: Request; readonly answer: Answer };

/** May be asked again freely. */
export type Reads = {
  readonly list: Pair<r.ListRequest, r.ListAnswer>;
  readonly fetch: Pair<r.FetchRequest, r.FetchAnswer>;
  readonly stage: Pair<r.StageRequest, r.StageAnswer>;
  readonly 'drop-stages': Pair<r.DropStagesRequest, r.DropStagesAnswer>;
  readonly 'list-mailboxes': Pair<b.ListMailboxesRequest, b.ListMailboxesAnswer>;
  readonly 'mailbox-named': Pair<b.MailboxNamedRequest, b.MailboxNamedAnswer>;
  readonly 'sharing-accounts': Pair<b.SharingAccountsRequest, b.SharingAccountsAnswer>;
  readonly subscriptions: Pair<b.SubscriptionsRequest, b.SubscriptionsAnswer>;
  readonly 'rights-on': Pair<b.RightsOnRequest, b.RightsOnAnswer>;
  readonly annotations: Pair<b.AnnotationsRequest, b.AnnotationsAnswer>;
  readonly select: Pair<b.SelectRequest, b.SelectAnswer>;
  readonly 'show-recent': Pair<b.ShowRecentRequest, b.ShowRecentAnswer>;
  readonly present: Pair<b.PresentRequest, b.PresentAnswer>;
  readonly messages: Pair<m.MessagesRequest, m.MessagesAnswer>;
  readonly structure: Pair<m.StructureRequest, m.StructureAnswer>;
  readonly changes: Pair<m.ChangesRequest, m.ChangesAnswer>;
  readonly octets: Pair<m.OctetsRequest, m.OctetsAnswer>;
  readonly search: Pair<s.SearchRequest, s.SearchAnswer>;
  readonly 'sort-keys': Pair<s.SortKeysRequest, s.SortKeysAnswer>;
};

/** Numbered: asked one at a time, and done once. */
export type Edits = {
  readonly deliver: Pair<r.DeliverRequest, r.DeliverAnswer>;
  readonly quit: Pair<r.QuitRequest, r.QuitAnswer>;
  readonly 'edit-mailboxes': Pair<b.EditMailboxesRequest, b.EditMailboxesAnswer>;
  readonly 'store-flags': Pair<e.StoreFlagsRequest, e.StoreFlagsAnswer>;
  readonly expunge: Pair<e.ExpungeRequest, e.ExpungeAnswer>;
  readonly append: Pair<e.AppendRequest, e.AppendAnswer>;
  readonly copy: Pair<e.CopyRequest, e.CopyAnswer>;
};
