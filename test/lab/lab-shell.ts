import type { Argv, RunOptions, Shell } from '../../src/shared/shell.ts'
import { localShell } from '../../src/shell/local.ts'
import { insideOf } from './boot.ts'
import type { LabHost } from './host.ts'
import { LabError } from './run.ts'

/** The `Shell` port straight into a lab host, without SSH: for what is tested about virsh rather than about the way there. */
export function labShell(host: LabHost): Shell {
  const local = localShell({ label: host.name })
  return {
    label: host.name,
    run: (argv, options = {}) => local.run(inside(host, argv, options.env), options)
  }
}

function inside(host: LabHost, argv: Argv, env: RunOptions['env'] = {}): Argv {
  const { init } = host.notes
  if (init === undefined) throw new LabError(`${host.name} is off`)
  const variables = Object.entries({ LC_ALL: 'C', ...env }).map(([name, value]) => `${name}=${value}`)
  const [first = 'nsenter', ...rest] = insideOf(init)
  return [first, ...rest, ...variables, ...argv]
}
