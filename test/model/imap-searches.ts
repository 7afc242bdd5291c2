/** Searches of the model, and what each may answer by what its session and all others know: RFC 9051 §6.4.4, RFC 4731, RFC 5182. */
import { type ImapResponse, numbersIn } from '../../bench/clients/imap-response.ts';
import { fetch, learn, some } from './imap-deeds.ts';
import { must } from './imap-ledger.ts';
import type { Known } from './imap-picture.ts';
import type { Session } from './imap-session.ts';
import type { Chance } from './seeded.ts';

type Found = {
  /** Places in the picture as it was when the answer came. */
  readonly at: readonly number[];
  /** As they were told. */
  readonly numbers: readonly number[];
  readonly messages: readonly Known[];
  readonly options: ReadonlyMap<string, string>;
};

export async function search(session: Session, chance: Chance): Promise<void> {
  if (session.picture.count === 0) return;
  if (!session.picture.isWhole) await learn(session);
  const byUid = chance.oneIn(2);
  const kind = chance.of([ofAll, ofSubject, ofKeyword, ofKeyword, ofFlag, ofModSeq, extended, saved]);
  await kind(session, byUid, chance);
}

async function find(session: Session, criteria: string, byUid: boolean): Promise<Found> {
  let found: Found | undefined;
  session.onResponse = (response) => {
    if (response.kind !== 'data' || !/^E?SEARCH$/.test(response.name)) return;
    must(found === undefined, 'two answers to one SEARCH');
    found = foundIn(session, response, byUid);
  };
  await session.ok(`${byUid ? 'UID ' : ''}SEARCH ${criteria}`).finally(() => (session.onResponse = undefined));
  must(found !== undefined, 'no answer to SEARCH');
  return found;
}

/** RFC 9051 §7.3.4 and RFC 3501 §7.2.5. */
function foundIn({ picture }: Session, response: Extract<ImapResponse, { kind: 'data' }>, byUid: boolean): Found {
  const options = new Map<string, string>();
  let numbers: readonly number[] = [];
  if (response.name === 'SEARCH')
    numbers = response.values.flatMap((each) => (typeof each === 'string' ? [+each] : []));
  else {
    const terms = response.values.filter((each) => !Array.isArray(each)).map(String);
    must(terms.includes('UID') === byUid, 'ESEARCH says UID where it is not by UID, or does not');
    const rest = terms.filter((term) => term !== 'UID');
    for (let at = 0; at < rest.length; at += 2) options.set(rest[at]!.toUpperCase(), rest[at + 1]!);
    numbers = options.has('ALL') ? [...numbersIn(options.get('ALL')!)] : [];
  }
  const at = numbers.map((number) => {
    const place = byUid ? picture.place(number) : number - 1;
    must(picture.messages[place] !== undefined, `SEARCH finds ${number}, which is no message of ${picture.count}`);
    return place;
  });
  return { at, numbers, options, messages: picture.messages.map((message) => ({ ...message })) };
}

/** Of each that this can be said of, whether it must be found. What should be and is not must be gone. */
function judge(
  session: Session,
  { at, messages }: Found,
  what: string,
  shouldBe: (uid: number) => boolean | undefined,
) {
  const found = new Set(at);
  for (const [place, { uid }] of messages.entries()) {
    const should = uid === undefined ? undefined : shouldBe(uid);
    if (should === false) must(!found.has(place), `SEARCH ${what} finds UID ${uid}`);
    if (should === true && !found.has(place))
      session.ledger.claimGone(uid!, `UID ${uid} is not found by SEARCH ${what}`);
  }
}

async function ofAll(session: Session, byUid: boolean): Promise<void> {
  judge(session, await find(session, 'ALL', byUid), 'ALL', () => true);
}

async function ofSubject(session: Session, byUid: boolean, chance: Chance): Promise<void> {
  const names = session.picture.uids.flatMap((uid) => session.ledger.nameOf(uid) ?? []);
  if (names.length === 0) return;
  const name = chance.of(names);
  const found = await find(session, `SUBJECT ${name}`, byUid); // each ends in a full stop, so none is part of another
  judge(session, found, `SUBJECT ${name}`, (uid) => {
    const known = session.ledger.nameOf(uid);
    return known === undefined ? undefined : known.includes(name);
  });
}

/** Nobody else changes it. */
async function ofKeyword(session: Session, byUid: boolean, chance: Chance): Promise<void> {
  const un = chance.of(['', 'UN']);
  const criteria = `${un}KEYWORD ${session.keyword}`;
  judge(session, await find(session, criteria, byUid), criteria, (uid) => {
    if (session.unsure.has(uid) || session.ledger.replaced.has(uid)) return undefined;
    const has = session.own.get(uid);
    return has === undefined ? undefined : has === (un === '');
  });
}

/** Where the mod-sequence was the same before and after, so were the flags. */
async function ofFlag(session: Session, byUid: boolean, chance: Chance): Promise<void> {
  const [criteria, flag] = chance.of([
    ['DELETED', '\\Deleted'],
    ['SEEN', '\\Seen'],
    ['KEYWORD $both', '$both'],
    ['FLAGGED', '\\Flagged'],
  ] as const);
  /** Of those that are told now: of one that is gone meanwhile the picture is an old one. */
  const look = async () => {
    const told = new Set<number>();
    session.onResponse = (response) => {
      if (response.kind === 'data' && response.name === 'FETCH') told.add(response.number! - 1);
    };
    await session.ask('FETCH 1:* (UID FLAGS MODSEQ)').finally(() => (session.onResponse = undefined));
    const messages = session.picture.messages.filter((_, place) => told.has(place));
    return new Map(messages.map(({ uid, flags, modSeq }) => [uid, { flags, modSeq }]));
  };
  if (!session.dialect.condstore) return void (await find(session, criteria, byUid));
  const before = await look();
  const found = await find(session, criteria, byUid);
  const after = session.picture.count === 0 ? new Map<number, never>() : await look();
  judge(session, found, criteria, (uid) => {
    const [was, is] = [before.get(uid), after.get(uid)];
    if (was?.modSeq === undefined || was.flags === undefined || was.modSeq !== is?.modSeq) return undefined;
    return was.flags.split(' ').includes(flag);
  });
}

/** RFC 7162 §3.1.5. */
async function ofModSeq(session: Session, byUid: boolean, chance: Chance): Promise<void> {
  const { dialect, picture, ledger } = session;
  if (!dialect.condstore) return fetch(session, chance);
  const least = Math.max(1, picture.highest - chance.below(8));
  const { at } = ledger.floor();
  const found = await find(session, `MODSEQ ${least}`, byUid);
  judge(session, found, `MODSEQ ${least}`, (uid) => (ledger.modSeqAt(uid, at) >= least ? true : undefined));
}

/** RFC 4731 §3.1: the options agree with each other. */
async function extended(session: Session, byUid: boolean): Promise<void> {
  const found = await find(session, 'RETURN (MIN MAX COUNT ALL) UNDELETED', byUid);
  const { numbers, options } = found;
  must(Number(options.get('COUNT')) === numbers.length, `COUNT ${options.get('COUNT')} of ${numbers.length}`);
  if (numbers.length === 0) return must(!options.has('MIN') && !options.has('ALL'), 'MIN or ALL of nothing');
  must(Number(options.get('MIN')) === Math.min(...numbers), `MIN ${options.get('MIN')} of ${numbers.join()}`);
  must(Number(options.get('MAX')) === Math.max(...numbers), `MAX ${options.get('MAX')} of ${numbers.join()}`);
}

/** RFC 5182: what was saved names the same messages until they are gone. */
async function saved(session: Session, _: boolean, chance: Chance): Promise<void> {
  const named = await some(session, chance);
  if (named === undefined) return;
  await session.ok(`UID SEARCH RETURN (SAVE) UID ${named.uids.join(',')}`);
  const heard = new Set<number>();
  session.onResponse = (response) => {
    if (response.kind === 'data' && response.name === 'FETCH' && String(response.values[0]).includes('RFC822.SIZE')) {
      heard.add(session.picture.messages[response.number! - 1]!.uid!);
    }
  };
  await session.ask('UID FETCH $ (RFC822.SIZE)').finally(() => (session.onResponse = undefined));
  for (const uid of heard) must(named.uids.includes(uid), `$ has UID ${uid}, which was not saved`);
  for (const uid of named.uids) if (!heard.has(uid)) session.ledger.claimGone(uid, `UID ${uid} is missing in $`);
}
