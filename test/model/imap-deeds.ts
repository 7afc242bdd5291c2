/** What sessions of the model do to messages, and what each answer must say: RFC 9051 §6.4, RFC 4315, RFC 6851, RFC 7162. */
import type { Answer } from '../../bench/clients/imap.ts';
import { type ImapResponse, numbersIn, pairsIn, type ResponseCode } from '../../bench/clients/imap-response.ts';
import { must } from './imap-ledger.ts';
import { type Session, textOf, Unknown } from './imap-session.ts';
import type { Chance } from './seeded.ts';

/** Some messages, each with a number and a UID. */
export type Named = { readonly sequence: string; readonly uids: readonly number[] };

export const mailNamed = (name: string, octets = 40): Buffer =>
  Buffer.from(
    `From: Ann <ann@example.test>\r\nSubject: ${name}\r\nMessage-ID: <${name}@example.test>\r\n\r\n` +
      `${'All of this is the body, and ends in CRLF.\r\n'.repeat(Math.ceil(octets / 44))}`,
    'latin1',
  );

/** Asks for what is not known of any. */
export async function learn(session: Session): Promise<void> {
  const numbers = session.picture.messages.flatMap(({ uid, flags }, at) =>
    uid === undefined || flags === undefined ? [at + 1] : [],
  );
  if (numbers.length > 0) await fetchNumbers(session, numbers);
}

/** A run of messages and perhaps one apart, all with UIDs that are known; undefined where there are none. */
export async function some(session: Session, chance: Chance): Promise<Named | undefined> {
  if (session.picture.messages.some(({ uid }) => uid === undefined)) await learn(session);
  const { messages, count } = session.picture;
  if (count === 0) return undefined;
  const from = chance.below(count);
  const to = Math.min(count - 1, from + chance.below(4));
  const at = new Set(Array.from({ length: to - from + 1 }, (_, index) => from + index));
  let sequence = chance.oneIn(6) && to === count - 1 ? `${from + 1}:*` : `${from + 1}:${to + 1}`;
  if (chance.oneIn(3)) {
    const apart = chance.below(count);
    at.add(apart);
    sequence += `,${apart + 1}`;
  }
  const uids = [...at].map((each) => messages[each]!.uid);
  return uids.every((uid) => uid !== undefined) ? { sequence, uids: uids.sort((a, b) => a - b) } : undefined;
}

const setOf = ({ sequence, uids }: Named, byUid: boolean): string => (byUid ? uids.join(',') : sequence);

async function fetchNumbers(session: Session, numbers: readonly number[]): Promise<void> {
  const uids = numbers.map((number) => session.picture.messages[number - 1]!.uid);
  const modSeq = session.dialect.condstore ? ' MODSEQ' : '';
  await fetched(session, `FETCH ${numbers.join(',')} (UID FLAGS RFC822.SIZE${modSeq})`, uids);
}

/** RFC 2180 §4.1: what is missing is gone, and by number the answer says so. */
async function fetched(session: Session, command: string, uids: readonly (number | undefined)[]): Promise<void> {
  const heard = new Set<number>();
  session.onResponse = (response) => {
    const uid = uidWithSize(response);
    if (uid !== undefined) heard.add(uid);
  };
  const answer = await session.ask(command).finally(() => {
    session.onResponse = undefined;
  });
  const missing = uids.filter((uid) => uid === undefined || !heard.has(uid));
  for (const uid of missing) if (uid !== undefined) session.ledger.claimGone(uid, `UID ${uid} is missing in a FETCH`);
  if (answer.status === 'OK') {
    if (!command.startsWith('UID'))
      must(
        uids.every((uid) => uid === undefined || heard.has(uid)),
        'FETCH lacks some',
      );
  } else must(answer.code?.name === 'EXPUNGEISSUED' && missing.length > 0, `${command}: ${textOf(answer)}`);
}

function uidWithSize(response: ImapResponse): number | undefined {
  if (response.kind !== 'data' || response.name !== 'FETCH') return undefined;
  const items = pairsIn(response.values[0]);
  return items.has('RFC822.SIZE') && items.has('UID') ? Number(items.get('UID')) : undefined;
}

export async function fetch(session: Session, chance: Chance): Promise<void> {
  const named = await some(session, chance);
  if (named === undefined) return;
  const byUid = chance.oneIn(2);
  const modSeq = session.dialect.condstore && chance.oneIn(2) ? ' MODSEQ' : '';
  const command = `${byUid ? 'UID ' : ''}FETCH ${setOf(named, byUid)} (UID FLAGS RFC822.SIZE${modSeq})`;
  await fetched(session, command, named.uids);
}

/** What it is stays what it is, whoever looks; without .PEEK it is marked as seen. */
export async function read(session: Session, chance: Chance): Promise<void> {
  const named = await some(session, chance);
  if (named === undefined) return;
  const part = chance.of(['BODY.PEEK[HEADER.FIELDS (SUBJECT)]', 'BODY[HEADER.FIELDS (SUBJECT)]']);
  session.onResponse = (response) => {
    if (response.kind !== 'data' || response.name !== 'FETCH') return;
    const items = pairsIn(response.values[0]);
    const header = items.get('BODY[HEADER.FIELDS (SUBJECT)]');
    if (!(header instanceof Buffer)) return;
    const envelope = items.get('ENVELOPE');
    const subject = /^Subject: (\S+)\r\n\r\n$/.exec(header.toString('latin1'))?.[1];
    must(subject !== undefined, `a header that is none: ${header.toString('latin1')}`);
    must(Array.isArray(envelope) && String(envelope[1]) === subject, `ENVELOPE has ${envelope}, the header ${subject}`);
    session.ledger.name(Number(items.get('UID')), subject);
  };
  const command = `UID FETCH ${named.uids.join(',')} (ENVELOPE ${part})`;
  await session.ok(command).finally(() => {
    session.onResponse = undefined;
  });
}

/** RFC 7162 §3.1.4.1, §3.2.6. */
export async function fetchChanges(session: Session, chance: Chance): Promise<void> {
  const { dialect, picture, ledger } = session;
  if (!dialect.condstore || picture.count === 0) return fetch(session, chance);
  const since = chance.of([picture.selectedAt, picture.highest, Math.max(1, picture.highest - 10)]);
  const asks = dialect.qresync && chance.oneIn(2) ? ' VANISHED' : '';
  const floor = ledger.floor();
  const known = picture.messages.flatMap(({ uid }) => uid ?? []);
  const least = known.filter((uid) => ledger.modSeqAt(uid, floor.at) > since);
  const heard = new Set<number>();
  session.onResponse = (response) => {
    const uid = uidWithSize(response);
    if (uid === undefined) return;
    const [modSeq] = pairsIn(response.kind === 'data' ? response.values[0] : []).get('MODSEQ') as readonly string[];
    must(Number(modSeq) > since, `UID ${uid} with MODSEQ ${modSeq} is told as changed since ${since}`);
    heard.add(uid);
  };
  picture.earlier = [];
  const set = asks === '' ? '1:*' : `1:${floor.uid}`;
  await session
    .ok(`UID FETCH ${set} (FLAGS RFC822.SIZE) (CHANGEDSINCE ${since}${asks})`)
    .finally(() => (session.onResponse = undefined));
  for (const uid of least) if (!heard.has(uid)) ledger.claimGone(uid, `UID ${uid} is not told as changed`);
  for (const uid of picture.earlier) ledger.claimGone(uid, `UID ${uid} is told to have vanished`);
}

export async function append(session: Session, chance: Chance, name: string): Promise<void> {
  const { ledger } = session;
  const flags = [session.keyword, '\\Seen', '\\Deleted', '$both'].filter(() => chance.oneIn(5));
  const floor = session.floor();
  const octets = chance.oneIn(20) ? 200_000 : 40;
  const answer = await session.ok(`APPEND INBOX (${flags.join(' ')})`, mailNamed(name, octets));
  const [validity, uid] = codeOf(answer, 'APPENDUID').values;
  must(validity === ledger.uidValidity, `APPENDUID of ${validity}`);
  ledger.assign(Number(uid), name, floor);
  if (flags.includes('\\Deleted')) ledger.endanger([Number(uid)]);
}

export async function store(session: Session, chance: Chance): Promise<void> {
  const named = await some(session, chance);
  if (named === undefined) return;
  const { ledger, picture, keyword, dialect } = session;
  const pool = ['\\Seen', '\\Flagged', '\\Answered', '\\Deleted', '\\Deleted', '$both', keyword, keyword, keyword];
  const flags = [...new Set([chance.of(pool), chance.of(pool)])];
  const mode = chance.oneIn(12) ? '' : chance.of(['+', '+', '-']);
  const silent = chance.oneIn(3);
  const byUid = chance.oneIn(2);
  const condition = dialect.condstore && chance.oneIn(3) ? ` (UNCHANGEDSINCE ${since(session, named, chance)})` : '';
  if (mode !== '-' && flags.includes('\\Deleted')) ledger.endanger(named.uids);
  if (mode === '') for (const uid of named.uids) ledger.replaced.add(uid);
  const changesOwn = mode === '' || flags.includes(keyword);
  for (const uid of changesOwn ? named.uids : []) session.storing.add(uid);
  const item = `${mode}FLAGS${silent ? '.SILENT' : ''} (${flags.join(' ')})`;
  const command = `${byUid ? 'UID ' : ''}STORE ${setOf(named, byUid)}${condition} ${item}`;
  const answer = await unsureUnlessAnswered(session, named.uids, session.ask(command));
  if (session.readOnly) return must(answer.status === 'NO', `${command} after EXAMINE: ${textOf(answer)}`);
  const modified = modifiedIn(session, answer, byUid);
  const stored = named.uids.filter((uid) => !modified.has(uid));
  const missing = silent ? [] : stored.filter((uid) => !session.told.has(uid));
  for (const uid of missing) ledger.claimGone(uid, `UID ${uid} is missing in the answer to a STORE`);
  if (answer.status === 'NO') must(answer.code?.name === 'EXPUNGEISSUED' || modified.size > 0, textOf(answer));
  for (const uid of stored) {
    if (silent && !session.told.has(uid)) picture.workOut(uid, (had) => changed(had, mode, flags));
    if (!flags.includes(keyword) || ledger.replaced.has(uid)) continue;
    session.own.set(uid, mode !== '-');
    if (missing.includes(uid)) continue;
    const now = picture.byUid(uid)?.flags?.split(' ').includes(keyword);
    must(now === undefined || now === (mode !== '-'), `UID ${uid} is shown as it was before ${command}`);
  }
}

function since(session: Session, { uids }: Named, chance: Chance): number {
  const shown = uids.map((uid) => session.picture.byUid(uid)?.modSeq ?? session.picture.highest);
  return chance.of([session.picture.highest, Math.max(...shown), Math.min(...shown), 1]);
}

const changed = (had: readonly string[], mode: string, flags: readonly string[]): readonly string[] =>
  mode === '' ? flags : mode === '+' ? [...had, ...flags] : had.filter((flag) => !flags.includes(flag));

/** RFC 7162 §3.1.3: numbers, after UID STORE UIDs. */
function modifiedIn({ picture }: Session, { code }: Answer, byUid: boolean): ReadonlySet<number> {
  if (code?.name !== 'MODIFIED') return new Set();
  const numbers = [...numbersIn(String(code.values[0]))];
  return new Set(byUid ? numbers : numbers.map((number) => picture.messages[number - 1]?.uid ?? 0));
}

async function unsureUnlessAnswered(session: Session, uids: readonly number[], answer: Promise<Answer>) {
  try {
    return await answer;
  } catch (fault) {
    if (fault instanceof Unknown) for (const uid of uids) session.unsure.add(uid);
    throw fault;
  } finally {
    for (const uid of uids) session.storing.delete(uid);
  }
}

export async function expunge(session: Session, chance: Chance): Promise<void> {
  const named = chance.oneIn(3) ? await some(session, chance) : undefined;
  const command = named === undefined ? 'EXPUNGE' : `UID EXPUNGE ${named.uids.join(',')}`;
  const answer = await session.ask(command);
  must(answer.status === (session.readOnly ? 'NO' : 'OK'), `${command}: ${textOf(answer)}`);
}

/** Copies into the mailbox itself are messages of their own; a MOVE there gives them new UIDs. */
export async function transfer(session: Session, chance: Chance, verb: 'COPY' | 'MOVE'): Promise<void> {
  const named = await some(session, chance);
  if (named === undefined) return;
  const { ledger, picture, readOnly } = session;
  const byUid = chance.oneIn(2);
  const to = chance.of(['INBOX', 'box']);
  const floor = session.floor();
  const isMove = verb === 'MOVE';
  if (isMove && !readOnly) ledger.endanger(named.uids);
  let code: ResponseCode | undefined;
  session.onResponse = (response) => {
    if (response.kind === 'continue' || response.kind === 'data' || response.code?.name !== 'COPYUID') return;
    must(!isMove || response.kind === 'status', 'COPYUID of a MOVE comes untagged (RFC 6851 §4.3)');
    ({ code } = response);
    if (isMove) for (const uid of sourcesOf(code!)) must(picture.byUid(uid) !== undefined, 'EXPUNGE before COPYUID');
  };
  const command = `${byUid ? 'UID ' : ''}${verb} ${setOf(named, byUid)} ${to}`;
  const answer = await session.ask(command).finally(() => {
    session.onResponse = undefined;
  });
  if (answer.status === 'NO') {
    const isRight = isMove && readOnly ? true : answer.code?.name === 'EXPUNGEISSUED' && !byUid;
    return must(isRight, `${command}: ${textOf(answer)}`);
  }
  const sources = code === undefined ? [] : sourcesOf(code);
  const copies = code === undefined ? [] : [...numbersIn(String(code.values[2]))];
  must(sources.length === copies.length, `COPYUID of ${sources.length} and ${copies.length}`);
  for (const uid of sources) must(named.uids.includes(uid), `UID ${uid} was not to be copied`);
  for (const uid of named.uids) if (!sources.includes(uid)) ledger.claimGone(uid, `UID ${uid} is not copied`);
  for (const [at, uid] of to === 'INBOX' ? sources.entries() : []) ledger.copy(uid, copies[at]!, floor);
  if (isMove) for (const uid of sources) must(picture.byUid(uid) === undefined, `UID ${uid} is moved, and still there`);
}

const sourcesOf = ({ values }: ResponseCode): number[] => [...numbersIn(String(values[1]))];

function codeOf(answer: Answer, name: string): ResponseCode {
  must(answer.code?.name === name, `${textOf(answer)} has no ${name}`);
  return answer.code;
}

/** RFC 9051 §6.1.2: after it nothing is missing that was there before it. */
export async function noop(session: Session): Promise<void> {
  const { ledger, picture } = session;
  const { at } = ledger.floor();
  const due = [...ledger.assigned].flatMap(([uid, time]) => (time <= at ? [uid] : []));
  const gone = [...ledger.gone].flatMap(([uid, time]) => (time <= at ? [uid] : []));
  const shown = picture.messages.map(({ uid }) => (uid === undefined ? 0 : ledger.modSeqAt(uid, at)));
  const uids = picture.messages.map(({ uid }) => uid);
  await session.ok('NOOP');
  const known = new Set(picture.uids);
  for (const uid of gone) must(!known.has(uid), `UID ${uid} was told as gone to another, and not to this one by NOOP`);
  const isWhole = known.size === picture.count;
  for (const uid of isWhole ? due : []) {
    if (!known.has(uid) && !picture.vanished.has(uid)) ledger.claimGone(uid, `UID ${uid} is not told by NOOP`);
  }
  for (const [index, uid] of uids.entries()) {
    const modSeq = uid === undefined ? undefined : picture.byUid(uid)?.modSeq;
    must(modSeq === undefined || modSeq >= shown[index]!, `UID ${uid} is at ${modSeq}, not ${shown[index]}, by NOOP`);
  }
}

export async function status(session: Session): Promise<void> {
  const floor = session.floor();
  const items = session.dialect.condstore ? ' HIGHESTMODSEQ' : '';
  const answer = await session.ok(`STATUS INBOX (MESSAGES UIDNEXT UNSEEN${items})`);
  const data = answer.untagged.find((each) => each.kind === 'data' && each.name === 'STATUS');
  must(data?.kind === 'data', 'no STATUS response');
  const told = pairsIn(data.values[1]);
  const of = (name: string): number => Number(told.get(name));
  must(of('UIDNEXT') > floor.uid, `UIDNEXT ${of('UIDNEXT')}, and ${floor.uid} was seen before`);
  must(of('UNSEEN') <= of('MESSAGES'), 'more unseen than there are');
  if (items) must(of('HIGHESTMODSEQ') >= floor.modSeq, `HIGHESTMODSEQ ${of('HIGHESTMODSEQ')} after ${floor.modSeq}`);
}
