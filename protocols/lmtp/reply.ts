/** LMTP replies, before they are bytes: RFC 5321 §4.2, enhanced status codes: RFC 2034 §4. */
export type Reply = {
  readonly code: number;
  /** RFC 3463 `class.subject.detail`; absent where RFC 2034 §4 wants none (greeting, LHLO, 354). */
  readonly enhanced?: string;
  /** One text a line, printable ASCII; at least one. */
  readonly lines: readonly string[];
};

export const reply = (code: number, enhanced: string, ...lines: readonly string[]): Reply => ({
  code,
  enhanced,
  lines,
});
