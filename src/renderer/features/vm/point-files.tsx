import { ActionIcon, Table, Title } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { formatBytes } from '../../../shared/format.ts'
import type { Manifest } from '../../../shared/model/point.ts'
import { useCopied } from '../../ui/use-copied.ts'
import { words as shared } from '../../words.ts'
import classes from './vm.module.css'
import { words } from './words.ts'

const said = words.point

/** The files of a point, as its manifest has them. */
export function PointFiles({ manifest: { files } }: { readonly manifest: Manifest }) {
  return (
    <section aria-label={said.files}>
      <Title order={3}>{said.files}</Title>
      <Table className={classes['files']} verticalSpacing={4}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{said.columns.path}</Table.Th>
            <Table.Th ta="end">{said.columns.size}</Table.Th>
            <Table.Th>{said.columns.hash}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {files.map(({ path, sizeBytes, sha256 }) => (
            <Table.Tr key={path}>
              <Table.Td className={classes['path']}>{path}</Table.Td>
              <Table.Td ta="end">{formatBytes(sizeBytes)}</Table.Td>
              <Table.Td>
                <Hash path={path} sha256={sha256} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  )
}

/** Its beginning; all of it on hover and by the button. */
function Hash({ path, sha256 }: { readonly path: string; readonly sha256: string }) {
  const { copied, copy } = useCopied(sha256)
  const Symbol = copied ? IconCheck : IconCopy
  return (
    <span className={classes['hash']}>
      <code title={sha256}>{sha256.slice(0, 12)}…</code>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="sm"
        aria-label={copied ? shared.copied : said.copyHash(path)}
        onClick={copy}
      >
        <Symbol size={14} aria-hidden />
      </ActionIcon>
    </span>
  )
}
