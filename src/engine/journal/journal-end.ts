/** Of a job or a run, in its folder. */
export const JOURNAL_NAME = 'journal.jsonl'

/** How the line begins that ends a journal, whichever engine wrote it. */
export const END = /^\{"n":\d+,"at":"[^"]*","type":"end",/

/** The same for `grep`, in a line of a unit: without quotes of either kind, without `$` and `%`. */
export const END_FOR_GREP = '^..n.:[0-9]*,.at.:.[^,]*,.type.:.end.,'
