import { readdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { POLICIES_DIR } from '../../shared/host-paths.ts'
import { Policy } from '../../shared/model/policy.ts'
import { parsed, readIfThere } from './channels-file.ts'

/** All policies of this host that can be understood. */
export function allPolicies(dir = POLICIES_DIR): Policy[] {
  return namesIn(dir)
    .filter((name) => /^[0-9a-f]{12}\.json$/.test(name))
    .flatMap((name) => {
      const policy = Policy.safeParse(parsed(readIfThere(`${dir}/${name}`) ?? ''))
      return policy.success ? [policy.data] : []
    })
}

/** As the operator calls it, which its policies know; else as it calls itself. */
export const nameOfHost = (dir = POLICIES_DIR): string =>
  allPolicies(dir).toSorted((a, b) => b.changedAt.localeCompare(a.changedAt))[0]?.hostName ?? hostname()

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
