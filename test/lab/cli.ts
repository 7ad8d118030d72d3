import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { asRoot, inherit } from './as-root.ts'
import { runGuestCommand } from './cli-guest.ts'
import { attachLab, labNames, removeLab, startLab, type Lab } from './lab.ts'
import { LabError } from './run.ts'
import { labStatus } from './status.ts'

const usage = `usage: npm run lab -- COMMAND [--name LAB]

  up [--trixie] [--host NAME]...   set the lab up, taking down what is left of an earlier one; with --stock QEMU runs as
                                   Debian ships it, otherwise as root
                                   (hosts alpha and beta, unless named; --trixie adds gamma with Debian 13)
  down [--all]                     remove the lab, or all labs, without a trace
  status [--json]                  hosts, addresses, guests
  ssh HOST [COMMAND...]            log in (--user admin or nosudo instead of root)
  rebuild HOST                     same name and address, fresh root, new host key
  reset HOST                       crash it and boot it again
  poweroff HOST | crash HOST | poweron HOST
  cut HOST | restore HOST          pull or plug its network cable
  guest add HOST NAME [--ram MIB] [--disks 1|2] [--disk-size MIB] [--filler MIB] [--raw] [--rewrite MIB:MIB_PER_S]
                      [--agent] [--checking] [--tick MS] [--vcpus N] [--network NAME] [--uuid UUID]
  guest list | start | destroy | undefine | verify | ticks HOST [NAME]

LAB is "lab" unless named. State is below /var/tmp/stillpoint-lab or $STILLPOINT_LAB_DIR.`

const options = {
  name: { type: 'string', default: 'lab' },
  user: { type: 'string', default: 'root' },
  host: { type: 'string', multiple: true },
  trixie: { type: 'boolean', default: false },
  stock: { type: 'boolean', default: false },
  all: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  ram: { type: 'string' },
  disks: { type: 'string' },
  'disk-size': { type: 'string' },
  filler: { type: 'string' },
  raw: { type: 'boolean' },
  rewrite: { type: 'string' },
  agent: { type: 'boolean' },
  checking: { type: 'boolean' },
  tick: { type: 'string' },
  vcpus: { type: 'string' },
  network: { type: 'string' },
  uuid: { type: 'string' }
} as const

const say = (line: string) => console.error(line)

/** Everything after `ssh HOST` belongs to the far side, options too. */
function splitRemoteCommand(argv: readonly string[]): { readonly own: string[]; readonly remote: string[] } {
  const at =
    argv[0] === 'ssh'
      ? argv.findIndex((word, index) => index > 1 && !word.startsWith('--') && !isOptionValue(argv, index))
      : -1
  return at < 0 ? { own: [...argv], remote: [] } : { own: argv.slice(0, at), remote: argv.slice(at) }
}

function isOptionValue(argv: readonly string[], index: number): boolean {
  return argv[index - 1] === '--name' || argv[index - 1] === '--user'
}

async function main(argv: readonly string[]): Promise<number> {
  const { own, remote } = splitRemoteCommand(argv)
  const { values, positionals } = parseArgs({ args: own, options, allowPositionals: true })
  const [command, target = ''] = positionals
  const host = (lab: Lab) => lab.host(target)
  if (values.help || command === undefined) {
    console.log(usage)
    return command === undefined && !values.help ? 2 : 0
  }
  switch (command) {
    case 'up': {
      const begun = performance.now()
      const lab = await startLab({
        name: values.name,
        trixie: values.trixie,
        hosts: values.host,
        qemuUser: values.stock ? 'stock' : 'root',
        say
      })
      console.log(await labStatus(lab))
      say(`up in ${((performance.now() - begun) / 1000).toFixed(1)} s`)
      return 0
    }
    case 'down':
      for (const name of values.all ? labNames() : [values.name]) await removeLab(name)
      return 0
    case 'status': {
      const lab = attachLab(values.name)
      console.log(await labStatus(lab, values.json ? 'json' : 'text'))
      return 0
    }
    case 'ssh':
      return logIn(attachLab(values.name), target, values.user, remote)
    case 'rebuild':
      await host(attachLab(values.name)).rebuild()
      return 0
    case 'reset':
      await host(attachLab(values.name)).reset()
      return 0
    case 'poweroff':
      await host(attachLab(values.name)).powerOff()
      return 0
    case 'crash':
      await host(attachLab(values.name)).powerOff(true)
      return 0
    case 'poweron':
      await host(attachLab(values.name)).powerOn()
      return 0
    case 'cut':
      await host(attachLab(values.name)).cutNetwork()
      return 0
    case 'restore':
      await host(attachLab(values.name)).restoreNetwork()
      return 0
    case 'guest':
      await runGuestCommand(attachLab(values.name), positionals.slice(1), values)
      return 0
    default:
      throw new LabError(`no command ${command}\n\n${usage}`)
  }
}

/** The lab's hosts change their keys whenever they are rebuilt, so this login asks no questions about them. */
function logIn(lab: Lab, target: string, user: string, remote: readonly string[]): Promise<number> {
  const host = lab.host(target)
  const trust = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR']
  const argv = [...trust, '-o', 'IdentitiesOnly=yes', '-i', host.identityFile, `${user}@${host.address}`, ...remote]
  return inherit(['ssh', ...argv])
}

const argv = process.argv.slice(2)
await asRoot(fileURLToPath(import.meta.url), argv, () => main(argv))
