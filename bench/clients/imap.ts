/**
 * An IMAP client: RFC 9051 and 3501, as plain as its responses. Reads all the time, so that what comes during IDLE is heard
 * when it comes; each response goes to `onResponse` first, in order, and then to whoever waits for it.
 */
import { type ImapResponse, literalAfter, parseResponse, type StatusText } from './imap-response.ts';
import { type Endpoint, Wire } from './wire.ts';

/** The server said NO or BAD; the message is the whole of it. */
export class ImapRefusal extends Error {
  readonly answer: Answer;
  constructor(command: string, answer: Answer) {
    super(`${command}: ${answer.status} ${answer.code ? `[${answer.code.name}] ` : ''}${answer.text}`);
    this.answer = answer;
  }
}

export type Untagged = Exclude<ImapResponse, { readonly kind: 'tagged' | 'continue' }>;
export type Answer = StatusText & { readonly untagged: readonly Untagged[] };

type Waiting = {
  readonly tag: string;
  readonly untagged: Untagged[];
  readonly resolve: (answer: Answer) => void;
  readonly reject: (fault: Error) => void;
  readonly onContinue: (() => void) | undefined;
};

export type ImapClientOptions = {
  readonly onResponse?: (response: ImapResponse) => void;
};

export class ImapClient {
  readonly wire: Wire;
  readonly #onResponse: (response: ImapResponse) => void;
  #waiting: Waiting[] = [];
  #tags = 0;
  #ended: Error | undefined;
  #greeted: { readonly resolve: () => void; readonly reject: (fault: Error) => void } | undefined;

  private constructor(wire: Wire, { onResponse = () => {} }: ImapClientOptions) {
    this.wire = wire;
    this.#onResponse = onResponse;
  }

  /** STARTTLS included, where the endpoint wants it. */
  static async connect(endpoint: Endpoint, options: ImapClientOptions = {}): Promise<ImapClient> {
    const wire = await Wire.open(endpoint);
    if (endpoint.startTls) {
      await wire.line();
      await wire.send('s STARTTLS\r\n');
      const answer = await wire.line();
      if (!answer.startsWith('s OK')) throw new Error(`STARTTLS: ${answer}`);
      await wire.secure(endpoint.startTls, endpoint.resumption);
    }
    return await ImapClient.over(wire, options, !endpoint.startTls);
  }

  /** @param isGreeted  whether a greeting is still to come */
  static async over(wire: Wire, options: ImapClientOptions = {}, isGreeted = true): Promise<ImapClient> {
    const client = new ImapClient(wire, options);
    const greeted = isGreeted
      ? new Promise<void>((resolve, reject) => {
          client.#greeted = { resolve, reject };
        })
      : undefined;
    void client.#read();
    await greeted;
    return client;
  }

  async logIn(name: string, secret: string): Promise<void> {
    await this.ok(`LOGIN "${name}" "${secret}"`);
  }

  /** Whatever its status; rejects when the connection ends before. Literals of the command are to be `{n+}`. */
  ask(command: string | Uint8Array, onContinue?: () => void): Promise<Answer> {
    if (this.#ended) return Promise.reject(this.#ended);
    const tag = `t${++this.#tags}`;
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#waiting.push({ tag, untagged: [], resolve, reject, onContinue });
    });
    this.#send(Buffer.concat([Buffer.from(`${tag} `), Buffer.from(command as string, 'latin1'), Buffer.from('\r\n')]));
    return answer;
  }

  /** Throws ImapRefusal unless the answer is OK. */
  async ok(command: string | Uint8Array): Promise<Answer> {
    const answer = await this.ask(command);
    if (answer.status !== 'OK') throw new ImapRefusal(String(command).slice(0, 100), answer);
    return answer;
  }

  /** Resolves when the server idles; what it gives says DONE, and resolves with the answer. */
  async idle(): Promise<() => Promise<Answer>> {
    let answer: Promise<Answer> | undefined;
    await new Promise<void>((resolve, reject) => {
      answer = this.ask('IDLE', resolve);
      answer.then(() => reject(new Error('IDLE was answered at once')), reject);
    });
    return () => {
      this.#send('DONE\r\n');
      return answer!;
    };
  }

  /** `APPEND mailbox terms {n+}`. */
  append(mailbox: string, message: Uint8Array, terms = ''): Promise<Answer> {
    const before = `APPEND ${mailbox} ${terms === '' ? '' : `${terms} `}{${message.length}+}\r\n`;
    return this.ask(Buffer.concat([Buffer.from(before, 'latin1'), message]));
  }

  async logOut(): Promise<void> {
    await this.ask('LOGOUT');
    this.close();
  }

  /** As a client that vanishes. */
  close(): void {
    this.#end(new Error('closed here'));
    this.wire.close();
  }

  #send(octets: string | Uint8Array): void {
    this.wire.send(octets).catch((fault: Error) => this.#end(fault));
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const response = await this.#response();
        if (this.#ended) return;
        this.#onResponse(response);
        this.#hand(response);
      }
    } catch (fault) {
      this.#end(fault as Error);
      this.wire.close();
    }
  }

  async #response(): Promise<ImapResponse> {
    const parts: (string | Buffer)[] = [];
    for (;;) {
      const line = await this.wire.line();
      parts.push(line);
      const size = literalAfter(line);
      if (size === undefined) return parseResponse(parts);
      parts.push(await this.#octets(size));
    }
  }

  async #octets(size: number): Promise<Buffer> {
    const read: Buffer[] = [];
    for (let left = size; left > 0; ) {
      const some = await this.wire.some(left);
      if (some.length === 0) throw new Error('closed in the middle of a literal');
      read.push(some);
      left -= some.length;
    }
    return Buffer.concat(read);
  }

  #hand(response: ImapResponse): void {
    if (this.#greeted) {
      const { resolve, reject } = this.#greeted;
      this.#greeted = undefined;
      if (response.kind === 'status' && response.status === 'OK') resolve();
      else reject(new Error(`greeted with ${JSON.stringify(response)}`));
      return;
    }
    const current = this.#waiting[0];
    if (response.kind === 'continue') current?.onContinue?.();
    else if (response.kind !== 'tagged') current?.untagged.push(response);
    else if (current?.tag === response.tag) {
      this.#waiting.shift();
      current.resolve({ ...response, untagged: current.untagged });
    } else throw new Error(`an answer to ${response.tag}, and ${current?.tag ?? 'none'} is waited for`);
  }

  #end(fault: Error): void {
    this.#ended ??= fault;
    this.#greeted?.reject(this.#ended);
    this.#greeted = undefined;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }
}
