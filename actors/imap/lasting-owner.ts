/**
 * The session with an owner that a selected mailbox is asked through, for as long as it is selected. An owner may end a session
 * that the client knows nothing of (its account was dropped, its handle is not known any more): then another one is opened.
 * Where none is to be had the mailbox is lost, and whoever has it selected is to be told BYE. Knows no command.
 */
import type { Result } from '../../kernel/result.ts';
import type { OwnerSession } from './services.ts';

export class LastingOwner implements OwnerSession {
  readonly mailHost: string;
  readonly #open: () => Promise<Result<OwnerSession, 'unavailable'>>;
  #current: OwnerSession;
  #renewing: Promise<boolean> | undefined;
  #isLost = false;

  /** @param open  a session with the same mailHost that has not ended; opened if there is none */
  constructor(first: OwnerSession, open: () => Promise<Result<OwnerSession, 'unavailable'>>) {
    this.mailHost = first.mailHost;
    this.#current = first;
    this.#open = open;
  }

  get id(): string {
    return this.#current.id;
  }

  /** It ended, and no other could be opened: nothing is asked any more. */
  get isLost(): boolean {
    return this.#isLost;
  }

  get isOver(): boolean {
    return this.#current.isOver;
  }

  read: OwnerSession['read'] = (operation, request) => this.#again((owner) => owner.read(operation, request));

  octets: OwnerSession['octets'] = (...of) => this.#again((owner) => owner.octets(...of));

  /** Asked once only: a session that ends meanwhile may have done it. */
  change: OwnerSession['change'] = async (operation, request) => {
    if (this.#current.isOver) await this.#renew(this.#current);
    return this.#current.change(operation, request);
  };

  // What was staged is gone with its session, and so is the request that was to name it.

  stage: OwnerSession['stage'] = (...part) => this.#current.stage(...part);

  dropStages: OwnerSession['dropStages'] = (stages) => this.#current.dropStages(stages);

  async #again<A extends Result<unknown, string>>(ask: (owner: OwnerSession) => Promise<A>): Promise<A> {
    const asked = this.#current;
    const answer = await ask(asked);
    if (answer.ok || answer.refusal !== 'ended' || !(await this.#renew(asked))) return answer;
    return ask(this.#current);
  }

  /** @returns whether there is another one in its place */
  async #renew(ended: OwnerSession): Promise<boolean> {
    if (this.#isLost) return false;
    if (this.#current !== ended) return true; // somebody else saw to it
    this.#renewing ??= this.#replace().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #replace(): Promise<boolean> {
    const opened = await this.#open();
    if (opened.ok) this.#current = opened.value;
    else this.#isLost = true;
    return opened.ok;
  }
}
