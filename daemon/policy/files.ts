/** What a policy refers to by path, so that reading the policy itself touches no disk. */
export interface PolicyFiles {
  /** Absolute, taken from the folder of the policy. */
  resolve(path: string): string
  /** @throws StoreError STORE_NOT_FOUND, STORE_UNREADABLE */
  read(path: string): Promise<Uint8Array>
}
