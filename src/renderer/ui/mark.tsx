/** Two upright bars with a dot between them: a pause, and the point in it. */
export function Mark({ size }: { readonly size: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" fill="currentColor" role="img" aria-label="Stillpoint">
      <rect x="2" y="2" width="3" height="12" rx="1.2" />
      <rect x="11" y="2" width="3" height="12" rx="1.2" />
      <circle cx="8" cy="8" r="1.6" />
    </svg>
  )
}
