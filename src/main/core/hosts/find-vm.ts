import { fail } from '../../../shared/failure.ts'
import type { Domain } from '../../../shared/model/host.ts'

/** The VM meant by a name or UUID. A name that is another VM's UUID is refused: nobody can say which was meant. */
export function findVm(domains: readonly Domain[], text: string, host: string): Domain {
  const named = domains.filter(({ name }) => name === text)
  const identified = domains.filter(({ uuid }) => uuid === text.toLowerCase())
  const found = [...new Set([...named, ...identified])]
  if (found.length > 1)
    fail({ kind: 'ambiguous', what: 'vm', name: text, candidates: found.map(({ name, uuid }) => `${uuid} (${name})`) })
  return found[0] ?? fail({ kind: 'not-found', what: 'vm', name: text, where: host })
}
