/** Plays the RFCs' examples (test/support/imap-examples.ts) against a house, and compares what they mean. */
import { randomUUID } from 'node:crypto';
import * as assert from 'uvu/assert';
import type { ConnectionTls } from '../../../actors/connection-tls.ts';
import type { Protocol } from '../../../actors/session.ts';
import { type Example, nameOf, type Said, type Scene, type Step, shortened } from '../../support/imap-examples.ts';
import { expunged, isFree, isFreeWhenSelecting, sameCode, sameData } from '../../support/imap-meaning.ts';
import { overMemory, overSocket, type Played } from '../../support/transcript.ts';
import { type House, type HouseOptions, house, SECRET } from './house.ts';
import { plant } from './planting.ts';

/** Where the sessions of a scene are: all on one node, or those beside the first on another. */
export type Stage = {
  readonly home: House;
  protocolOf(session: 'own' | 'other'): Protocol;
  readonly tls?: ConnectionTls;
};

export async function houseOf(scene: Scene, buses?: HouseOptions['buses']): Promise<House> {
  return await house({
    ...(buses && { buses }),
    users: scene.users,
    plant: (store, idOf) => plant(store, scene.mailboxes, idOf),
  });
}

/** Plays all examples of a scene that can be played, one after another. */
export async function playScene(scene: Scene, stage: Stage): Promise<void> {
  let sessions = new Map<string, PlayedSession>();
  const close = async () => {
    for (const each of sessions.values()) await each.played.close();
    sessions = new Map();
  };
  try {
    for (const example of scene.examples) {
      if (example.impossible !== undefined) continue;
      if (!example.goesOn) await close();
      await new Performance(scene, example, stage, sessions).play();
    }
  } finally {
    await close();
  }
}

type PlayedSession = { readonly played: Played; tags: number; readonly selecting: Set<string> };

class Performance {
  readonly #scene: Scene;
  readonly #example: Example;
  readonly #stage: Stage;
  readonly #sessions: Map<string, PlayedSession>;

  constructor(scene: Scene, example: Example, stage: Stage, sessions: Map<string, PlayedSession>) {
    this.#scene = scene;
    this.#example = example;
    this.#stage = stage;
    this.#sessions = sessions;
  }

  async play(): Promise<void> {
    const { steps } = this.#example;
    for (let at = 0; at < steps.length; ) {
      const step = steps[at]!;
      if (step.kind !== 'S' || step.isBracketed) {
        await this.#take(step);
        at++;
        continue;
      }
      const group: Said[] = [];
      for (; at < steps.length; at++) {
        const next = steps[at]!;
        if (next.kind !== 'S' || next.session !== step.session) break;
        if (!next.isBracketed) group.push(next);
      }
      await this.#hear(await this.#session(step.session), group);
    }
    for (const { played } of this.#sessions.values()) assert.is(played.client.unread, '', this.#where(steps.at(-1)!));
  }

  async #take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'C': {
        if (step.isBracketed) return;
        const session = await this.#session(step.session);
        if (step.text === '<tls>') {
          await session.played.client.secure();
          return;
        }
        if (/^\S+ (SELECT|EXAMINE) /i.test(step.text)) session.selecting.add(tagOf(step.text));
        session.played.client.send(Buffer.from(`${shortened(step.text)}\r\n`, 'utf8'));
        return;
      }
      case 'session':
        await this.#session(step.session, step.user);
        return;
      case 'first':
        await this.#ask(await this.#session(step.session), shortened(step.command), step);
        return;
      case 'by':
        await this.#ask(await this.#session(`by ${step.user}`, step.user), shortened(step.command), step);
        return;
      case 'deliver':
        await this.#stage.home.deliver(step.user, 'Subject: new\r\n\r\nnews\r\n');
    }
  }

  /** The session of that name, connected and logged in if it was not yet. */
  async #session(name: string, user = this.#scene.users[0]?.name ?? 'ann'): Promise<PlayedSession> {
    const found = this.#sessions.get(name);
    if (found) return found;
    const protocol = this.#stage.protocolOf(name === '' ? 'own' : 'other');
    const { tls } = this.#stage;
    const played = tls
      ? await overSocket(protocol, { tls, nextSessionId: randomUUID })
      : overMemory(protocol, { session: randomUUID() });
    const session = { played, tags: 0, selecting: new Set<string>() };
    this.#sessions.set(name, session);
    const first = this.#example.steps.find((step) => step.kind === 'S' || step.kind === 'C') as Said;
    if (this.#example.isNobodys && first.kind === 'S') return session;
    await played.client.line();
    if (this.#example.isNobodys) return session;
    const password = this.#scene.users.find((each) => each.name === user)?.password ?? SECRET;
    await this.#ask(session, `LOGIN ${user} ${password}`, first);
    if (this.#scene.enable !== undefined) await this.#ask(session, `ENABLE ${this.#scene.enable}`, first);
    return session;
  }

  async #ask(session: PlayedSession, command: string, step: Step): Promise<void> {
    const tag = `f${++session.tags}`;
    session.played.client.send(Buffer.from(`${tag} ${command.replaceAll('<CRLF>', '\r\n')}\r\n`, 'utf8'));
    for (;;) {
      const heard = await response(session, this.#where(step));
      if (heard.startsWith('+ ')) continue;
      if (!heard.startsWith(`${tag} `)) continue;
      assert.match(heard, /^\S+ OK /, `${this.#where(step)}: ${command}: ${heard}`);
      return;
    }
  }

  /** All that is printed until the client speaks again, answer by answer. */
  async #hear(session: PlayedSession, group: readonly Said[]): Promise<void> {
    let untagged: Said[] = [];
    for (const said of joined(group)) {
      if (said.text === '<close>') {
        if (untagged.length > 0) await this.#hearUntagged(session, untagged);
        untagged = [];
        assert.is(await session.played.client.line(this.#where(said)), undefined, this.#where(said));
        continue;
      }
      if (said.text.startsWith('* ')) {
        untagged.push(said);
        continue;
      }
      const heard: string[] = [];
      let last = await response(session, this.#where(said));
      for (; last.startsWith('* '); last = await response(session, this.#where(said))) heard.push(last.slice(2));
      this.#compare(session, untagged, heard, said);
      untagged = [];
      if (!sameEnd(shortened(said.text), last)) this.#differ(said, last);
    }
    if (untagged.length > 0) await this.#hearUntagged(session, untagged);
  }

  /** Where no tagged response ends them. */
  async #hearUntagged(session: PlayedSession, printed: readonly Said[]): Promise<void> {
    const last = printed.at(-1)!;
    const heard: string[] = [];
    while (heard.length < printed.length) {
      const each = (await response(session, this.#where(last))).slice(2);
      if (!isFree(each) || printed.some(({ text }) => sameData(text.slice(2), each))) heard.push(each);
    }
    this.#compare(session, printed, heard, last);
  }

  /** In any order; but what EXPUNGE tells depends on the order. */
  #compare(session: PlayedSession, printed: readonly Said[], heard: readonly string[], last: Said): void {
    const left = [...heard];
    const expunges = (lines: readonly string[]) =>
      lines.filter((line) => /^\d+ EXPUNGE$/.test(line)).map(Number.parseFloat);
    const wanted = printed.map((said) => ({ said, text: shortened(said.text.slice(2)) }));
    const [gone, toldGone] = [expunges(wanted.map(({ text }) => text)), expunges(heard)];
    if (expunged(gone) !== expunged(toldGone)) this.#differ(last, `EXPUNGE ${toldGone} where ${gone} is printed`);
    for (const { said, text } of wanted) {
      if (/^\d+ EXPUNGE$/.test(text)) continue;
      const at = left.findIndex((each) => isMeant(text, each));
      if (at < 0) this.#differ(said, left.join('\n'));
      left.splice(at, 1);
    }
    const isSelecting = session.selecting.has(tagOf(last.text));
    const extra = left.filter(
      (each) => !isFree(each) && !/^\d+ EXPUNGE$/.test(each) && !(isSelecting && isFreeWhenSelecting(each)),
    );
    if (extra.length > 0) this.#differ(last, `more than is printed: ${extra.join('\n')}`);
  }

  #differ(said: Said, heard: string): never {
    throw new assert.Assertion({
      message: `${this.#where(said)}: ${said.text}\n  heard: ${heard}`,
      details: '',
      generated: false,
      operator: 'match',
      expects: said.text,
      actual: heard,
    });
  }

  #where = (step: Step): string => `${nameOf(this.#example)} (${this.#scene.name.split(':')[0]}:${step.at})`;
}

/** A response whose literals are lines of their own, in one. */
function* joined(group: readonly Said[]): Iterable<Said> {
  for (let at = 0; at < group.length; at++) {
    const first = group[at]!;
    let { text } = first;
    for (let size = /\{(\d+)\}$/.exec(text)?.[1]; size !== undefined; size = /\{(\d+)\}$/.exec(text)?.[1]) {
      let octets = '';
      while (octets.length <= Number(size)) {
        const line = group[++at];
        if (!line) throw new Error(`line ${first.at}: the literal has no ${size} octets, but ${octets.length}`);
        octets += `${line.text}\r\n`;
      }
      text += `\r\n${octets.slice(0, -2)}`;
    }
    yield { ...first, text };
  }
}

async function response({ played }: PlayedSession, where: string): Promise<string> {
  let text = await played.client.line(where);
  if (text === undefined) throw new Error(`${where}: the server closed`);
  for (let size = /\{(\d+)\}$/.exec(text)?.[1]; size !== undefined; size = /\{(\d+)\}$/.exec(text)?.[1]) {
    let octets = '';
    while (octets.length <= Number(size)) octets += `${await played.client.line(where)}\r\n`;
    text += `\r\n${octets.slice(0, -2)}`;
  }
  return text;
}

const tagOf = (line: string): string => line.split(' ', 1)[0]!;

const isMeant = (printed: string, heard: string): boolean =>
  /<(any|number)>/.test(printed) ? patternOf(printed).test(heard) : sameData(printed, heard);

/** A tagged response or a continuation request. */
function sameEnd(printed: string, heard: string): boolean {
  if (printed.startsWith('+')) return heard.startsWith('+ '); // its words are the server's own
  const tag = tagOf(printed);
  if (!heard.startsWith(`${tag} `)) return false;
  const rest = [printed, heard].map((each) => each.slice(tag.length + 1)) as [string, string];
  return /<(any|number)>/.test(rest[0]) ? patternOf(rest[0]).test(rest[1]) : sameCode(...rest);
}

const patternOf = (text: string): RegExp =>
  new RegExp(
    `^${text
      .replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
      .replaceAll('<number>', '[0-9]+')
      .replaceAll('<any>', '[\\s\\S]*')}$`,
    'i',
  );
