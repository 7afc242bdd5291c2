/** What a command says when it can't do what was asked: printed a line each, without a stack; the exit status is 1. */
export class CommandError extends Error {
  readonly lines: readonly string[];
  constructor(...lines: readonly string[]) {
    super(lines.join('\n'));
    this.name = 'CommandError';
    this.lines = lines;
  }
}
