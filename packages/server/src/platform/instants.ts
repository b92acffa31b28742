import type { Instant } from '@postern/shared';
import {
  type BinaryOperationNode,
  ColumnNode,
  type ColumnUpdateNode,
  type InsertQueryNode,
  type OperationNode,
  PostgresQueryCompiler,
  type PrimitiveValueListNode,
  type RawBuilder,
  ReferenceNode,
  sql,
  type ValueListNode,
  ValueNode,
} from 'kysely';

/**
 * How a timestamptz column is called, and nothing else is; a test walks the schema.
 * The compiler below goes by it.
 */
export const INSTANT_COLUMN = /(^|_)(at|until|before|since)$/;

/** An Instant in raw SQL: `` sql`… ${ts(now)}` ``. The query builder needs none of it. */
export const ts = (at: Instant): RawBuilder<Instant> => sql<Instant>`${iso(at)}::timestamptz`;

const iso = (at: number): string => new Date(at).toISOString();

/**
 * Sends Instants (milliseconds) that are written to or compared with an instant column as
 * RFC 3339. By the compiler, which looks at each node anyway, and no plugin: one would copy
 * the whole query first, three times the work of compiling it.
 */
export class InstantCompiler extends PostgresQueryCompiler {
  protected override visitInsertQuery(node: InsertQueryNode): void {
    const { columns, values } = node;
    const instants = columns?.map((column) => INSTANT_COLUMN.test(column.column.name)) ?? [];
    super.visitInsertQuery(
      values?.kind === 'ValuesNode' && instants.includes(true)
        ? { ...node, values: convertRows(values as RowsNode, instants) }
        : node,
    );
  }

  protected override visitColumnUpdate(node: ColumnUpdateNode): void {
    super.visitColumnUpdate(
      isInstant(node.column) ? { ...node, value: convert(node.value) } : node,
    );
  }

  protected override visitBinaryOperation(node: BinaryOperationNode): void {
    super.visitBinaryOperation(
      isInstant(node.leftOperand) ? { ...node, rightOperand: convert(node.rightOperand) } : node,
    );
  }
}

type RowNode = ValueListNode | PrimitiveValueListNode;
type RowsNode = OperationNode & { readonly values: readonly RowNode[] };

function isInstant(node: OperationNode): boolean {
  const column = ReferenceNode.is(node) ? node.column : node;
  return ColumnNode.is(column) && INSTANT_COLUMN.test(column.column.name);
}

const convertRows = (rows: RowsNode, instants: readonly boolean[]): OperationNode =>
  ({
    ...rows,
    values: rows.values.map((row) => convertRow(row, instants)),
  }) as OperationNode;

function convertRow(row: RowNode, instants: readonly boolean[]): RowNode {
  if (row.kind === 'PrimitiveValueListNode')
    return { ...row, values: row.values.map((v, i) => (instants[i] ? convertValue(v) : v)) };
  return { ...row, values: row.values.map((v, i) => (instants[i] ? convert(v) : v)) };
}

const convertValue = (value: unknown): unknown => (typeof value === 'number' ? iso(value) : value);

function convert(node: OperationNode): OperationNode {
  if (ValueNode.is(node)) return { ...node, value: convertValue(node.value) } as ValueNode;
  if (node.kind === 'PrimitiveValueListNode') {
    const list = node as PrimitiveValueListNode;
    return { ...list, values: list.values.map(convertValue) } as PrimitiveValueListNode;
  }
  if (node.kind === 'AndNode') {
    // between: <low> and <high>
    const { left, right } = node as unknown as { left: OperationNode; right: OperationNode };
    return { ...node, left: convert(left), right: convert(right) } as OperationNode;
  }
  return node;
}
