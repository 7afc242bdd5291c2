/** An LMTP client: RFC 2033. One reply for each recipient after the message. */
import { type Endpoint, stuff, Wire } from './wire.ts';

export type LmtpReply = { readonly code: number; readonly lines: readonly string[] };

/** A reply that is not of the class expected at this point. */
export class LmtpRefusal extends Error {
  readonly reply: LmtpReply;
  constructor(reply: LmtpReply) {
    super(reply.lines.join(' / '));
    this.reply = reply;
  }
}

export class LmtpClient {
  readonly wire: Wire;

  private constructor(wire: Wire) {
    this.wire = wire;
  }

  static async connect(endpoint: Endpoint): Promise<LmtpClient> {
    const client = new LmtpClient(await Wire.open(endpoint));
    try {
      expect(await client.reply(), 2);
      expect(await client.ask('LHLO client.example.test'), 2);
      if (endpoint.startTls) {
        expect(await client.ask('STARTTLS'), 2);
        await client.wire.secure(endpoint.startTls, endpoint.resumption);
        expect(await client.ask('LHLO client.example.test'), 2); // RFC 3207 §4.2: all said before is forgotten
      }
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  async reply(): Promise<LmtpReply> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.wire.line();
      lines.push(line);
      if (line[3] !== '-') return { code: Number(line.slice(0, 3)), lines };
    }
  }

  async ask(command: string): Promise<LmtpReply> {
    await this.wire.send(command + '\r\n');
    return this.reply();
  }

  /**
   * One transaction, its commands sent together (RFC 2920). The message has CRLF line ends and ends in one.
   * @returns a reply for each recipient, in order: RCPT's own where that refused
   */
  async deliver(from: string, recipients: readonly string[], message: Buffer): Promise<LmtpReply[]> {
    await this.wire.send(
      [`MAIL FROM:<${from}>`, ...recipients.map((each) => `RCPT TO:<${each}>`), 'DATA', ''].join('\r\n'),
    );
    const mail = await this.reply();
    const answers: LmtpReply[] = [];
    for (let at = 0; at < recipients.length; at++) answers.push(await this.reply());
    const data = await this.reply();
    if (data.code !== 354) {
      if (mail.code >= 400) throw new LmtpRefusal(mail);
      if (answers.some((each) => each.code < 400)) throw new LmtpRefusal(data);
      await this.ask('RSET');
      return answers;
    }
    await this.wire.send(stuff(message));
    await this.wire.send('.\r\n');
    for (let at = 0; at < answers.length; at++) if (answers[at]!.code < 400) answers[at] = await this.reply();
    return answers;
  }

  async quit(): Promise<void> {
    await this.ask('QUIT');
    this.wire.close();
  }

  close(): void {
    this.wire.close();
  }
}

function expect(reply: LmtpReply, codeClass: number): void {
  if (Math.floor(reply.code / 100) !== codeClass) throw new LmtpRefusal(reply);
}
