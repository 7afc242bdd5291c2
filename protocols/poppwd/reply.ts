/** poppwd replies: a three-digit code and a text on one line. 200 done, 300 go on, 5xx refused (docs/poppwd.md). */
export type Reply = { readonly code: 200 | 300 | 500 | 501 | 515; readonly text: string };

export const reply = (code: Reply['code'], text: string): Reply => ({ code, text });
