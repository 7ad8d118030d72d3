import { isMedium } from '../../shared/model/point.ts'
import { haveOneMachineId } from '../../shared/model/machine-id.ts'
import { accessRules } from './image-access.ts'
import { checkRoom } from './check-room.ts'
import { checkTwins } from './check-twins.ts'
import { findConflicts, PREFLIGHT, tellRenames } from './conflicts.ts'
import { formerFolders, imagesTakenHere } from './former-folders.ts'
import { ImageFolders } from './image-folders.ts'
import { attachedFiles, fateRequest, type FateRequest } from './left-out.ts'
import { placeDisks, tellPlaces, tellWriters } from './place-disks.ts'
import { nvramOfCopy, planBoot, planNvram, planTpm } from './plan-firmware.ts'
import type { PlanRequest } from './plan-request.ts'
import type { RestorePlan } from './restore-plan.ts'

/** Where everything goes that the point has, and what makes way for it. */
export interface Places {
  readonly planned: Pick<RestorePlan, 'disks' | 'nvram' | 'tpm' | 'boot' | 'firmwareAccess' | 'displaced'>
  readonly folders: ImageFolders
  /** By what it is decided what becomes of disks that the point does not hold. */
  readonly fates: FateRequest
  /** Firmware variables of a copy, whether the point has some or not. */
  readonly ownNvram: string | undefined
}

export async function planPlaces(request: PlanRequest): Promise<Places> {
  const { shell, spec, jobId, source, guest, list } = request
  const { manifest } = source
  const { copy } = spec
  const fates = await fateRequest(shell, spec, manifest)
  const way = { ...fates, jobId, attached: await attachedFiles(guest.all, fates) }
  const displaced = copy === undefined ? await findConflicts(shell, spec, way, list) : []
  await checkTwins({ ...way, displaced }, list)
  const isSameHost = haveOneMachineId(manifest.host.machineId, fates.machineId)
  const of = { virtType: guest.next.virtType, definition: source.definition }
  const rules = await accessRules(shell, of, manifest, isSameHost)
  const folders = new ImageFolders(shell, fates.users)
  const users = await fates.users()
  const former = await formerFolders(manifest, { folders, users, takenHere: imagesTakenHere(manifest.id) })
  const disks = await placeDisks(spec, jobId, manifest, displaced, { former, accessOf: rules.accessOf, users })
  tellPlaces(disks, former, spec, list)
  if (spec.replace)
    tellRenames(
      displaced.flatMap(({ renames }) => renames),
      disks,
      jobId,
      list
    )
  await tellWriters(disks, list)
  const started = filesBesideDisks(request, displaced)
  await checkRoom(shell, source, { disks, ...started }, list, jobId === PREFLIGHT ? undefined : jobId)
  const access = rules.firmware && { firmwareAccess: rules.firmware }
  return { planned: { disks, displaced, ...access, ...started }, folders, fates, ownNvram: ownNvramOf(request) }
}

const ownNvramOf = ({ spec: { copy } }: PlanRequest): string | undefined => copy && nvramOfCopy(copy.uuid)

/** Firmware's variables, state of the TPM, kernels. */
function filesBesideDisks(
  request: PlanRequest,
  displaced: RestorePlan['displaced']
): Pick<RestorePlan, 'nvram' | 'tpm' | 'boot'> {
  const { spec, jobId, source, list } = request
  const { manifest } = source
  const uuid = spec.copy?.uuid ?? manifest.vm.uuid
  const freed = displaced.flatMap(({ renames }) => renames.map(({ from }) => from))
  const nvram = planNvram(manifest, jobId, freed, ownNvramOf(request))
  const tpm = planTpm(manifest, uuid, jobId)
  const boot = planBoot(manifest, uuid, jobId)
  for (const { role, formerPath, path } of boot)
    list.warning(
      'boot files',
      isMedium({ role })
        ? `The medium ${formerPath} is not here: ${path} is written from the point`
        : `${formerPath}, which the VM is started with, is not here: ${path} is written from the point`
    )
  return { boot, ...(nvram && { nvram }), ...(tpm && { tpm }) }
}
