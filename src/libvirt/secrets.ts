import type { Element } from '@xmldom/xmldom'
import type { Shell } from '../shared/shell.ts'
import { commandFailed, virsh } from './virsh.ts'
import { attribute, childAt, parseXml, serializeXml } from './xml.ts'

/** A secret that libvirt keeps: what it is is never asked. */
export interface Secret {
  readonly uuid: string
  /** What it is for, as `volume /srv/l.img`; empty if that was not said. */
  readonly usage: string
}

/** The secrets of this host. */
export const listSecrets = async (shell: Shell): Promise<Secret[]> =>
  parseSecrets((await virsh(shell, ['secret-list'])).stdout)

/** How libvirt keeps a secret. */
export interface SecretKind {
  /** It gives it out to nobody but QEMU. */
  readonly isPrivate: boolean
  /** Only until it is started anew. */
  readonly isEphemeral: boolean
}

export async function secretKind(shell: Shell, uuid: string): Promise<SecretKind> {
  const xml = (await virsh(shell, ['secret-dumpxml', uuid])).stdout
  const root = parseXml(xml, 'secret XML').documentElement ?? undefined
  return { isPrivate: attribute(root, 'private') === 'yes', isEphemeral: attribute(root, 'ephemeral') === 'yes' }
}

/** In base64. Undefined: libvirt has none, or gives it out to nobody. */
export async function secretValue(shell: Shell, uuid: string): Promise<string | undefined> {
  const { exitCode, stdout } = await virsh(shell, ['secret-get-value', uuid], { expect: [0, 1] }) // 1: none, or private
  return exitCode === 0 ? stdout.trim() : undefined
}

/** One that libvirt keeps on disk, like those of disks: a VM that a power cut ends needs it again. */
export function secretXml(uuid: string, usage: string): string {
  const document = parseXml(
    `<secret ephemeral='no' private='no'><uuid>${uuid}</uuid><usage type='volume'><volume/></usage></secret>`,
    'secret XML'
  )
  const volume = childAt(document.documentElement ?? undefined, 'usage', 'volume')
  if (volume !== undefined) volume.textContent = usage
  return serializeXml(document)
}

/** `keyFile` has its value, in base64. */
export async function defineSecret(shell: Shell, uuid: string, xmlPath: string, keyFile: string): Promise<void> {
  await virsh(shell, ['secret-define', xmlPath])
  await virsh(shell, ['secret-set-value', uuid, '--file', keyFile])
}

/** One that is gone is no error; a libvirt that cannot be asked is. */
export async function undefineSecret(shell: Shell, uuid: string): Promise<void> {
  const result = await virsh(shell, ['secret-undefine', uuid], { expect: [0, 1] })
  if (result.exitCode !== 0 && !saysUnknownSecret(result.stderr)) commandFailed(`virsh secret-undefine ${uuid}`, result)
}

/** virsh says `failed to get secret` also where it could not ask. Source: secretObjFromSecret in libvirt's secret_driver.c. */
const saysUnknownSecret = (stderr: string): boolean => /no secret with matching uuid/.test(stderr)

/** ` 1111…   volume /srv/l.img`, or `Unused` in place of a usage. */
export const parseSecrets = (text: string): Secret[] =>
  text.split('\n').flatMap((line) => {
    const [, uuid, said = ''] = /^([0-9a-f]{8}-[0-9a-f-]{27})(?: +(\S.*))?$/.exec(line.trim()) ?? []
    return uuid === undefined ? [] : [{ uuid, usage: said === 'Unused' ? '' : said }]
  })

/** By its UUID, or by what it is for, as `secretNameOf` has it. */
export function secretNamed(secrets: readonly Secret[], name: string): Secret | undefined {
  const found = secrets.find(({ uuid, usage }) => uuid === name.toLowerCase() || (usage !== '' && usage === name))
  if (found !== undefined || KINDS.test(name)) return found
  const [one, ...others] = secrets.filter(({ usage }) => usage.endsWith(` ${name}`))
  return others.length === 0 ? one : undefined
}

/** Engines before wrote the use into their journals without its kind. */
const KINDS = /^(volume|ceph|iscsi|tls|vtpm) /

/** The secret that an element of a definition names: its UUID, or its use as libvirt lists it, such as `volume /srv/l.img`. */
export function secretNameOf(secret: Element | undefined, type: string): string | undefined {
  const usage = attribute(secret, 'usage')
  return attribute(secret, 'uuid') ?? (usage === undefined ? undefined : `${type} ${usage}`)
}
