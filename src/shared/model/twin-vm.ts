import * as z from 'zod'

export const LONGEST_IMAGE = 4096
export const MOST_IMAGES = 512

/** The same VM on another of the operator's hosts: it runs there, or starts there with its host. */
export const TwinVm = z.strictObject({
  host: z.string().max(255),
  /** Empty: not known. */
  machineId: z.string().max(64),
  name: z.string().max(4096),
  /** libvirt's word: `running`, `shut off`, ... */
  state: z.string().max(32),
  autostart: z.boolean(),
  /** What it writes to, by the paths and names of its host. Empty while it is shut off. */
  images: z.array(z.string().max(LONGEST_IMAGE)).max(MOST_IMAGES)
})
export type TwinVm = z.infer<typeof TwinVm>

/** Why a restored VM does not start with its host, though its point has it so: the host of its twin then. */
export const HeldAutostart = TwinVm.pick({ host: true, machineId: true })
export type HeldAutostart = z.infer<typeof HeldAutostart>

/** A VM that is paused or suspended goes on whenever somebody lets it. */
export const isActive = ({ state }: { readonly state: string }): boolean => state !== 'shut off'
