import { readFile } from 'node:fs/promises'
import { fail } from '../../shared/failure.ts'
import { policyPath } from '../../shared/host-paths.ts'
import { Policy } from '../../shared/model/policy.ts'

/** @throws `not-found` if there is none of that id, `bad-output` if its file cannot be understood. */
export async function readPolicy(id: string): Promise<Policy> {
  const path = policyPath(id)
  const text = await readFile(path, 'utf8').catch(() => fail({ kind: 'not-found', what: 'policy', name: id }))
  const policy = Policy.safeParse(parse(text))
  return policy.success ? policy.data : fail({ kind: 'bad-output', what: path, detail: policy.error.message })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
