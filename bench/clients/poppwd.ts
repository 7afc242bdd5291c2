/** A poppwd client: USER, PASS, NEWPASS, QUIT (docs/poppwd.md). */
import { type Endpoint, Wire } from './wire.ts';

export class PoppwdClient {
  readonly wire: Wire;

  private constructor(wire: Wire) {
    this.wire = wire;
  }

  static async connect(endpoint: Endpoint): Promise<PoppwdClient> {
    const client = new PoppwdClient(await Wire.open(endpoint));
    await client.wire.line();
    return client;
  }

  /** The reply's line, code first. */
  async ask(command: string): Promise<string> {
    await this.wire.send(command + '\r\n');
    return this.wire.line();
  }

  /** The reply to NEWPASS, or that to PASS when the old password was refused. */
  async changePassword(name: string, oldSecret: string, newSecret: string): Promise<string> {
    await this.ask(`USER ${name}`);
    const loggedIn = await this.ask(`PASS ${oldSecret}`);
    return loggedIn.startsWith('200') ? this.ask(`NEWPASS ${newSecret}`) : loggedIn;
  }

  close(): void {
    this.wire.close();
  }
}
