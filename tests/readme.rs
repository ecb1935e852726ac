//! The README says what the code says.

use everysplit::check::Property;

#[test]
fn the_table_of_properties_has_each_check_and_its_sentence() {
    let readme = include_str!("../README.md");
    let rows = Property::ALL.map(|property| {
        let row = format!("| `{}` | {} |", property.name(), property.sentence());
        assert!(readme.contains(&row), "{row}");
        row
    });
    let table = readme
        .split_once("| check | property |\n|---|---|\n")
        .unwrap()
        .1;
    let table = table.split_once("\n\n").unwrap().0;
    assert_eq!(table, rows.join("\n"));
}
