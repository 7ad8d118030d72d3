import { onceEach } from '../../shared/once-each.ts'
import type { Shell } from '../../shared/shell.ts'
import { hostDevicesIn, withoutDevices, type HostDevice } from '../../libvirt/host-devices.ts'
import type { Answers, NeedsRequest } from './answers.ts'
import type { Hardware } from './hardware.ts'
import { otherVms, type OtherVm } from './other-vms.ts'

/** Devices, shared folders and files of the host that are handed to the guest: each is here, or can be left out. */
export async function checkDevices(
  shell: Shell,
  { asking, displaced, brought }: NeedsRequest,
  hardware: Hardware,
  answers: Answers
): Promise<void> {
  const devices = onceEach(
    asking.flatMap(({ xml }) => hostDevicesIn(xml)),
    ({ name }) => name
  ).filter(({ paths }) => !paths.some((path) => brought.includes(path)))
  for (const name of answers.choices.askedDrops)
    if (!devices.some((device) => device.name === name))
      answers.list.warning('devices', `The VM has nothing called ${name}, so there is nothing to leave out`)
  if (devices.length === 0) return
  const uuids = displaced.map(({ uuid }) => uuid)
  const others = devices.some(isPassedThrough) ? await otherVms(shell, uuids) : []
  for (const device of devices) await checkDevice(device, others, hardware, answers)
}

const isPassedThrough = ({ name }: Pick<HostDevice, 'name'>): boolean => /^(usb|pci|mdev):/.test(name)

async function checkDevice(
  device: HostDevice,
  others: readonly OtherVm[],
  hardware: Hardware,
  answers: Answers
): Promise<void> {
  const { name, what, isSeen, canGo } = device
  const chosen = canGo ? answers.choices.drops(name) : undefined
  const isHere = await isThere(device, hardware)
  const user = isHere ? others.find((vm) => vm.isRunning && isPassedThrough(device) && has(vm, name)) : undefined
  if (isHere && user === undefined && chosen?.isAsked !== true) {
    if (!name.startsWith('file:')) answers.list.ok('devices', `${what} is here`)
    return
  }
  if (chosen !== undefined) {
    answers.edit((xml) => withoutDevices(xml, [name]), isSeen ? `${what} is left out` : undefined)
    answers.done(
      'devices',
      isSeen ? `${what} is left out` : `${name} is left out, and the guest keeps its port`,
      chosen
    )
    return
  }
  answers.unmet('devices', {
    text: user === undefined ? `${what} is not here` : `${what} is in use by VM ${user.name}`,
    fix: fixFor(device, user),
    ...(canGo && { choices: [{ label: 'leave it out', choice: { kind: 'drop', device: name } }] })
  })
}

function fixFor({ paths: [path = ''], name }: HostDevice, user: OtherVm | undefined): string {
  if (user !== undefined) return 'take it from that VM'
  if (isPassedThrough({ name })) return 'plug it into this host'
  return `bring ${path} here`
}

async function isThere({ paths, usb }: HostDevice, hardware: Hardware): Promise<boolean> {
  if (usb !== undefined) return hardware.hasUsb(usb.vendor, usb.product)
  return paths.length === 0 || paths.some((path) => hardware.has(path))
}

const has = ({ definition }: OtherVm, name: string): boolean =>
  hostDevicesIn(definition).some((device) => device.name === name)
