"""A clerk of a street imports a messy workbook, mends its faults, finds that one record is wrong, and undoes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import openpyxl

from .conftest import Installation
from .visitor import Visitor

CLERK = "demo_street_1"
DONE_WITHIN = 60_000


def messy(path: Path, branch: str) -> Path:
    """As it comes from a branch: a title, full-width digits, dates of all kinds, a column too many, three faults."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["党员花名册（2026 年第三季度）"])
    sheet.merge_cells("A1:F1")
    sheet.append(["序号", "姓名", "所在党支部", "入党日期（支部大会通过）", "人员类别", "手机号"])
    for row in (
        [1, "旅程甲", branch, "２０１５．０７．０１", "正式党员", "１３８０００００００１"],
        [2, " 旅程乙 ", branch, 20160501, "正式党员", None],
        [3, "旅程丙", "查无此支部", "2017/3/1", "正式党员", None],
        [4, "旅程丁", branch, "七月一日", "正式党员", None],
        [5, "旅程戊", branch, "2018年5月4日", "正式党员", "12345"],
    ):
        sheet.append(row)
    book.save(path)
    return path


def upload(clerk: Visitor, path: Path) -> None:
    clerk.page.set_input_files("#file", str(path))
    clerk.follow("main button:has-text('上传')")


def check(clerk: Visitor) -> None:
    clerk.page.click("main button:has-text('核对数据')")
    clerk.page.wait_for_selector(".stepper .here:has-text('预览')", timeout=DONE_WITHIN)


def confirm(clerk: Visitor, verb: str, then: str) -> None:
    clerk.page.click(f"main button:has-text('{verb}')")
    clerk.page.click(f".modal button:has-text('{verb}'), dialog button:has-text('{verb}')")
    clerk.page.wait_for_selector(f"main b:has-text('{then}')", timeout=DONE_WITHIN)


def test_a_clerk_imports_mends_and_undoes(
    installation: Installation, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    clerk = visit(CLERK)
    branch = installation.accounts["demo_branch_1_1"].organization_code
    clerk.go("/records/member/list/")
    clerk.follow("main .pagehead a:has-text('导入'), .pagehead a:has-text('导入')")
    upload(clerk, messy(tmp_path / "花名册.xlsx", branch))
    # 所在党支部 is no column's name: the clerk says what it is.
    clerk.page.evaluate(
        """() => { const select = document.querySelector('#column-2');
                   if (select.tomselect) select.tomselect.setValue('organization_id');
                   else select.value = 'organization_id'; }"""
    )
    check(clerk)
    assert [int(words.split()[1]) for words in clerk.texts(".tally .stat")] == [2, 0, 0, 3]
    reasons = " ".join(clerk.texts(".preview .reasons"))
    assert "查无此支部" in reasons
    assert "七月一日" in reasons
    assert "手机号" in reasons
    with clerk.page.expect_download() as download:
        clerk.page.click("main a:has-text('下载有误的行')")
    download.value.save_as(tmp_path / "faulty.xlsx")
    confirm(clerk, "提交导入", "已导入")

    # What was wrong is mended in the very file, and goes in by itself.
    book = openpyxl.load_workbook(tmp_path / "faulty.xlsx")
    sheet = book.active
    assert [sheet.cell(1, column).value for column in (1, 3)] == ["错误原因", "姓名"]
    sheet["D2"], sheet["E3"], sheet["G4"] = branch, "2019-07-01", "13800000005"
    book.save(tmp_path / "mended.xlsx")
    clerk.follow("main a:has-text('上传改正后的文件')")
    upload(clerk, tmp_path / "mended.xlsx")
    clerk.page.evaluate(
        """() => { const select = document.querySelector('#column-3');
                   if (select.tomselect) select.tomselect.setValue('organization_id');
                   else select.value = 'organization_id'; }"""
    )
    check(clerk)
    assert [int(words.split()[1]) for words in clerk.texts(".tally .stat")] == [3, 0, 0, 0]
    confirm(clerk, "提交导入", "已导入")
    receipt = clerk.page.url

    # One of them is not the branch's at all, and neither are the others of the file.
    clerk.go("/records/member/list/?_flt_0_any_text=旅程")
    assert {words.split()[0] for words in clerk.texts("main table tbody td.nm")} >= {"旅程甲", "旅程丙", "旅程戊"}
    clerk.page.goto(receipt)
    confirm(clerk, "撤销整批导入", "已整批撤销")
    clerk.go("/records/member/list/?_flt_0_any_text=旅程")
    assert {words.split()[0] for words in clerk.texts("main table tbody td.nm")} == {"旅程甲", "旅程乙"}

    # The first file as well: nothing is left of the journey.
    clerk.go("/imports/")
    clerk.follow("main table a:has-text('花名册.xlsx')")
    confirm(clerk, "撤销整批导入", "已整批撤销")
    clerk.go("/records/member/list/?_flt_0_any_text=旅程")
    assert clerk.texts("main table tbody td.nm") == []
