/** A POP3 client: RFC 1939, as plain as its replies. */
import { type Endpoint, Wire } from './wire.ts';

/** The server said `-ERR`; `reply` is its whole line. */
export class Pop3Refusal extends Error {
  readonly reply: string;
  constructor(reply: string) {
    super(reply);
    this.reply = reply;
  }
}

export class Pop3Client {
  readonly wire: Wire;
  readonly greeting: string;

  private constructor(wire: Wire, greeting: string) {
    this.wire = wire;
    this.greeting = greeting;
  }

  static async connect(endpoint: Endpoint): Promise<Pop3Client> {
    const wire = await Wire.open(endpoint);
    try {
      const client = new Pop3Client(wire, accepted(await wire.line()));
      if (endpoint.startTls) {
        await client.ask('STLS'); // RFC 2595 §4
        await wire.secure(endpoint.startTls, endpoint.resumption);
      }
      return client;
    } catch (error) {
      wire.close();
      throw error;
    }
  }

  /** One command, one line of reply; throws Pop3Refusal on `-ERR`. */
  async ask(command: string): Promise<string> {
    await this.wire.send(command + '\r\n');
    return accepted(await this.wire.line());
  }

  async logIn(name: string, secret: string): Promise<void> {
    await this.ask(`USER ${name}`);
    await this.ask(`PASS ${secret}`);
  }

  async stat(): Promise<{ messages: number; octets: number }> {
    const [, messages, octets] = (await this.ask('STAT')).split(' ');
    return { messages: Number(messages), octets: Number(octets) };
  }

  async retrieve(message: number): Promise<Buffer> {
    await this.ask(`RETR ${message}`);
    return this.wire.multiline();
  }

  async uidl(): Promise<string[]> {
    await this.ask('UIDL');
    const lines = (await this.wire.multiline()).toString('latin1').split('\r\n').slice(0, -1);
    return lines.map((line) => line.slice(line.indexOf(' ') + 1));
  }

  async quit(): Promise<void> {
    await this.ask('QUIT');
    this.wire.close();
  }

  close(): void {
    this.wire.close();
  }
}

function accepted(line: string): string {
  if (!line.startsWith('+OK')) throw new Pop3Refusal(line);
  return line;
}
