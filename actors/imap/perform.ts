/**
 * One command whole: what its handler answers, then, where the RFC lets it be told, what the view has to tell, then the tagged
 * response. RFC 9051 §5.2, §5.3, §7.5.1.
 */
import type { Command, TaggedCommand } from '../../protocols/imap/command.ts';
import type { Response } from '../../protocols/imap/response.ts';
import type { ImapSession } from './imap-session.ts';
import type { Outcome } from './outcome.ts';
import * as replies from './replies.ts';

export type Performed = {
  /** Everything, to be sent as one. */
  readonly response: Response;
  readonly become?: 'selected' | 'authenticated' | undefined;
};

/** Throws only when what the client was to be told is lost: then the session has to end. */
export async function conclude(
  command: Pick<TaggedCommand, 'tag'> & { readonly type: Command['type']; readonly uid?: boolean },
  outcome: Outcome,
  session: ImapSession,
): Promise<Performed> {
  const { tag } = command;
  const { become } = outcome;
  if (outcome.finish === undefined && !outcome.untagged.some(flows)) {
    const news = become === undefined ? await newsAt(command, session) : [];
    return { response: replies.together(...outcome.untagged, ...news, replies.tagged(tag, outcome)), become };
  }
  return { response: { type: 'batch', responses: flowing(command, outcome, session) }, become };
}

/** What the view tells comes after the last of what flows: until then no number may shift. */
async function* flowing(
  command: Parameters<typeof conclude>[0],
  outcome: Outcome,
  session: ImapSession,
): AsyncGenerator<Response> {
  yield* outcome.untagged;
  const ending = (await outcome.finish?.()) ?? outcome;
  // A fault in here would cut the connection off without a word: of what is lost the next command tells.
  if (outcome.become === undefined && session.view?.isLost !== true) yield* await newsAt(command, session);
  yield replies.tagged(command.tag, ending);
}

/** Is it pulled while it is sent? */
function flows(response: Response): boolean {
  if (response.type === 'fetches') return Symbol.asyncIterator in response.items;
  return response.type === 'batch' && Symbol.asyncIterator in response.responses;
}

const newsAt = async (command: Parameters<typeof conclude>[0], { view }: ImapSession): Promise<readonly Response[]> =>
  (await view?.sync({
    mayExpunge: mayExpunge(command),
    ask: ASKING.includes(command.type),
    withUid: command.uid ?? false,
  })) ?? [];

/** RFC 9051 §6.1.2, RFC 3501 §6.4.1: the ways to ask for news. */
const ASKING: readonly string[] = ['NOOP', 'CHECK'];
/** RFC 9051 §7.5.1: numbers must not shift while these are answered, unless they speak of UIDs; RFC 5256 §3 has them as SEARCH. */
const NUMBERED: readonly string[] = ['FETCH', 'STORE', 'SEARCH', 'SORT', 'THREAD'];
export const mayExpunge = ({ type, uid = false }: { readonly type: string; readonly uid?: boolean }): boolean =>
  uid || !NUMBERED.includes(type);
