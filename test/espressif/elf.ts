// A minimal 32-bit ELF file, as a linker writes it for esptool's elf2image: sections with addresses and data, nothing else.
//
//   52: file header | data of the sections | names | section headers of 40 bytes each

export interface ElfSection {
  readonly name: string;
  readonly address: number;
  readonly data: Uint8Array;
}

export const MACHINE_XTENSA = 94;
export const MACHINE_RISCV = 243;

const FILE_HEADER_BYTES = 52;
const SECTION_HEADER_BYTES = 40;
const TYPE_EXECUTABLE = 2;
const [TYPE_PROGRAM_BITS, TYPE_STRINGS] = [1, 3];
const FLAG_ALLOCATED = 2;

export function encodeElf(machine: number, entry: number, sections: readonly ElfSection[]): Uint8Array {
  const names = ["", ...sections.map(({ name }) => name), ".shstrtab"];
  const nameTable = Buffer.from(`${names.join("\0")}\0`);
  const nameOffsets = names.map(
    (_, index) => names.slice(0, index).join("\0").length + (index === 0 ? 0 : 1),
  );
  let end = FILE_HEADER_BYTES;
  const place = (data: Uint8Array): number => {
    const offset = end;
    end += Math.ceil(data.length / 4) * 4;
    return offset;
  };
  const rows = sections.map(({ address, data }, index) => ({
    fields: [
      nameOffsets[index + 1]!,
      TYPE_PROGRAM_BITS,
      FLAG_ALLOCATED,
      address,
      place(data),
      data.length,
      0,
      0,
      4,
      0,
    ],
    data,
  }));
  const last = [nameOffsets.at(-1)!, TYPE_STRINGS, 0, 0, place(nameTable), nameTable.length, 0, 0, 1, 0];
  const table = [new Array<number>(10).fill(0), ...rows.map(({ fields }) => fields), last];
  const file = Buffer.alloc(end + table.length * SECTION_HEADER_BYTES);
  writeHeader(file, machine, entry, end, table.length);
  for (const { fields, data } of [...rows, { fields: last, data: nameTable }]) file.set(data, fields[4]!);
  for (const [row, fields] of table.entries()) {
    for (const [column, field] of fields.entries())
      file.writeUInt32LE(field, end + row * SECTION_HEADER_BYTES + column * 4);
  }
  return file;
}

function writeHeader(
  file: Buffer,
  machine: number,
  entry: number,
  sectionTable: number,
  sectionCount: number,
): void {
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  file.writeUInt16LE(TYPE_EXECUTABLE, 16);
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeUInt32LE(entry, 24);
  file.writeUInt32LE(sectionTable, 32);
  file.writeUInt16LE(FILE_HEADER_BYTES, 40);
  file.writeUInt16LE(SECTION_HEADER_BYTES, 46);
  file.writeUInt16LE(sectionCount, 48);
  file.writeUInt16LE(sectionCount - 1, 50);
}
