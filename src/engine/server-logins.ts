import type { Argv, RunOptions, Shell } from '../shared/shell.ts'
import { loginsIn } from '../libvirt/network-source.ts'
import { listSecrets, secretKind, secretNamed, secretValue } from '../libvirt/secrets.ts'
import { withPrivateFiles } from './jobs/private-files.ts'

const TOOLS = ['qemu-img', 'qemu-io']

/**
 * QEMU's tools log in to the servers of disks as their VMs do. The name of such a disk says which of libvirt's secrets has the key
 * (`qemuNameOf`); this hands it over in a file, for every tool that is given such a name, whoever runs it.
 */
export function withServerLogins(shell: Shell): Shell {
  return { label: shell.label, run: (argv, options) => runWithLogins(shell, argv, options) }
}

async function runWithLogins(shell: Shell, argv: Argv, options?: RunOptions): ReturnType<Shell['run']> {
  const logins = TOOLS.includes(argv[0]) ? argv.flatMap(loginsIn) : []
  if (logins.length === 0) return shell.run(argv, options)
  const keys = new Map<string, string>()
  for (const { object, secret } of logins) keys.set(object, (await keyOf(shell, secret)) ?? '')
  return withPrivateFiles([...keys.values()], (files) => {
    const objects = [...keys.keys()].flatMap((object, n) => [
      '--object',
      `secret,id=${object},format=base64,file=${files[n] ?? ''}`
    ])
    // `qemu-img` wants its subcommand first.
    const before = argv[0] === 'qemu-img' ? 2 : 1
    const [program, ...rest] = [...argv.slice(0, before), ...objects, ...argv.slice(before)]
    return shell.run([program ?? '', ...rest], options)
  })
}

async function keyOf(shell: Shell, secret: string): Promise<string | undefined> {
  const uuid = secretNamed(await listSecrets(shell), secret)?.uuid
  return uuid === undefined ? undefined : secretValue(shell, uuid)
}

/** Why nobody but QEMU in its VM can log in with this secret. Undefined: one can. */
export async function whyNoLogin(shell: Shell, secret: string): Promise<string | undefined> {
  const uuid = secretNamed(await listSecrets(shell), secret)?.uuid
  if (uuid === undefined) return `libvirt has no secret ${secret} for the login to its server`
  const { isPrivate } = await secretKind(shell, uuid)
  return isPrivate ? `libvirt gives out the secret of the login to its server to nobody (private)` : undefined
}
