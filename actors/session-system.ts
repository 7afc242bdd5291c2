/**
 * One XState actor system for all sessions of a listener, each a child of one root. A system of its own would cost every
 * idle connection 1.75 kB more. The root hears only what XState tells a parent, and needs none of it.
 */
import {
  type ActorLogic,
  type ActorOptions,
  type AnyActorRef,
  type AnyStateMachine,
  createActor,
  type EventObject,
  type InputFrom,
  type Snapshot,
} from 'xstate';
import type { Decoder, Encoder } from '../protocols/wire/decoder.ts';
import type { LogIns } from './log-ins.ts';
import type { Session, SessionActor } from './session.ts';

type Stop = { readonly type: 'stop child'; readonly child: AnyActorRef };

const rootLogic: ActorLogic<Snapshot<undefined>, Stop | EventObject, undefined> = {
  getInitialSnapshot: () => ({ status: 'active', output: undefined, error: undefined }),
  getPersistedSnapshot: (snapshot) => snapshot,
  transition(snapshot, event, scope) {
    if (event.type === 'stop child') scope.stopChild((event as Stop).child);
    return snapshot;
  },
};

/** What a session has of the house beside its machine. */
export type Held = {
  /** Called once, after the machine has been stopped. */
  leave(): Promise<void>;
  /** Absent: a protocol without log-ins. */
  readonly logIns?: LogIns;
};

/** The other side of a session's machine: its codec, and what it leaves behind at the end. */
export type Ends<Command, Reply> = {
  readonly decoder: Decoder<Command>;
  readonly encoder: Encoder<Reply>;
  readonly held?: Held;
};

export class SessionSystem {
  readonly #root = createActor(rootLogic).start();

  /** A session whose machine is made and not started yet. */
  begin<M extends AnyStateMachine, C, R>(machine: M, input: InputFrom<M>, ends: Ends<C, R>): Session<C, R> {
    const actor = createActor(machine, { input, parent: this.#root } as unknown as ActorOptions<M>); // InputFrom<M> is M's input
    return new MachineSession<C, R>(this, actor, ends);
  }

  /** Stops it and aborts the signals of what it has asked; does nothing to one that has ended. */
  stop(actor: AnyActorRef): void {
    this.#root.send({ type: 'stop child', child: actor });
  }
}

/** A class, since closures of its own would cost each idle session more than its fields. */
class MachineSession<C, R> implements Session<C, R> {
  readonly decoder: Decoder<C>;
  readonly encoder: Encoder<R>;
  readonly #system: SessionSystem;
  readonly #actor: AnyActorRef;
  readonly #held: Held | undefined;

  constructor(system: SessionSystem, actor: AnyActorRef, { decoder, encoder, held }: Ends<C, R>) {
    this.#system = system;
    this.#actor = actor;
    this.decoder = decoder;
    this.encoder = encoder;
    this.#held = held;
  }

  get actor(): SessionActor<C, R> {
    return this.#actor;
  }

  get record(): LogIns | undefined {
    return this.#held?.logIns;
  }

  account(): string | undefined {
    return this.#held?.logIns?.account;
  }

  accountId(): string | undefined {
    return this.#held?.logIns?.accountId;
  }

  async end(): Promise<void> {
    this.#system.stop(this.#actor);
    await this.#held?.leave();
  }
}
