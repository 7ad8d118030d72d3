import type { Handlers } from '../../src/shared/contract.ts'

/** Everything that a window must show as text, in one name. */
export const HOSTILE = `\u202eweb\u2066\u200b\u00ad\u009b31m\u0085\n<img src=x onerror=x>FORGED${'\u0301'.repeat(9)}\u3164\ue000\u{e0041}\ud800`

/** Words of a host, wherever they stand; names count where a UUID or an id is beside them. */
const WORDS = new Set([
  ...[
    'because',
    'check',
    'command',
    'detail',
    'explanation',
    'fix',
    'forWhat',
    'hostname',
    'keptAside',
    'label',
    'allow'
  ],
  ...['lastError', 'limits', 'methodReason', 'modeReason', 'note', 'notes', 'os', 'phase', 'problem', 'raw', 'reason'],
  ...['refused', 'remedy', 'stderr', 'subject', 'text', 'timeZone', 'title', 'vmNames', 'warnings', 'where']
])

/** The same core, whose hosts say this in every word that is theirs. */
export function withHostileWords(handlers: Handlers): Handlers {
  const poisoned = Object.entries(handlers as unknown as Record<string, Record<string, Handler>>).map(
    ([area, calls]) =>
      [
        area,
        Object.fromEntries(
          Object.entries(calls).map(([name, call]) => [
            name,
            area === 'app' || area === 'settings' ? call : spoilt(call)
          ])
        )
      ] as const
  )
  return Object.fromEntries(poisoned) as unknown as Handlers
}

type Handler = (question: unknown) => unknown

const spoilt =
  (call: Handler): Handler =>
  (question) => {
    if (typeof question === 'function') {
      const listener = question as (value: unknown) => void
      return call((value: unknown) => listener(spoil(value, '')))
    }
    const answer = call(question)
    return answer instanceof Promise ? answer.then((value: unknown) => spoil(value, '')) : answer
  }

function spoil(value: unknown, key: string): unknown {
  if (typeof value === 'string') return WORDS.has(key) ? `${value.slice(0, 20)}${HOSTILE}` : value
  if (Array.isArray(value)) return value.map((each) => spoil(each, key))
  if (typeof value !== 'object' || value === null) return value
  const isNamed = 'name' in value && ('uuid' in value || ('id' in value && !('vms' in value && 'schedule' in value)))
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      isNamed && name === 'name' && typeof each === 'string' ? `${each.slice(0, 20)}${HOSTILE}` : spoil(each, name)
    ])
  )
}
