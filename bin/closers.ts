/** What was opened, closed again in reverse order: also when opening the next thing failed. */
export class Closers {
  readonly #closers: { readonly name: string; readonly close: () => Promise<void> | void }[] = [];

  add(name: string, close: () => Promise<void> | void): void {
    this.#closers.push({ name, close });
  }

  /** Closes all, also when one of them fails; then throws the first fault, naming what it was. */
  async close(): Promise<void> {
    let fault: Error | undefined;
    for (let next = this.#closers.pop(); next; next = this.#closers.pop()) {
      try {
        await next.close();
      } catch (error) {
        fault ??= new Error(`closing ${next.name}: ${error instanceof Error ? error.message : error}`, {
          cause: error,
        });
      }
    }
    if (fault) throw fault;
  }
}
